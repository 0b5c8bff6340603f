import type { Price, Prices, UnitPrice } from '../prices.ts';

const bill = {
  region: 'eu-west-1',
  source: 'a bill of EU (Ireland): github.com/aws-samples/sagemaker-ssh-helper, Sample_Costs.md (b6bf9ba3)',
  asOf: '2023-12',
};
// Its ml.p4d and ml.p5 prices are those from before the cut that AWS made in June 2025.
const benchmark = {
  source: 'unconfirmed: github.com/aws-samples/foundation-model-benchmarking-tool, pricing.yml (00ef155d)',
  asOf: 'undated, before 2025-06',
};
const onDemand = (sku: string, usdPerHour: number, from: typeof bill | typeof benchmark): Price => ({
  sku,
  purchase: 'onDemand',
  usdPerHour,
  ...from,
});

/** SageMaker's prices: those of EC2 are lower. */
const instances: readonly Price[] = [
  onDemand('ml.m5.xlarge', 0.257, bill),
  onDemand('ml.g4dn.xlarge', 0.822, bill),
  onDemand('ml.g4dn.12xlarge', 5.453, bill),
  onDemand('ml.g5.xlarge', 1.57, bill),
  onDemand('ml.g5.12xlarge', 7.91, bill),
  onDemand('ml.g5.48xlarge', 20.36, benchmark),
  onDemand('ml.g6.12xlarge', 5.752, benchmark),
  onDemand('ml.g6.48xlarge', 16.688, benchmark),
  onDemand('ml.p4d.24xlarge', 37.688, benchmark),
  onDemand('ml.p5.48xlarge', 113.068, benchmark),
];

const published = (source: string, asOf: string) => ({
  region: 'us-east-1',
  source: `unconfirmed: ${source}`,
  asOf,
});
const lambda = { service: 'lambda', ...published('cloudchipr.com/blog/aws-lambda-pricing', '2024') };
const dynamodb = {
  service: 'dynamodb',
  ...published('airbyte.com/data-engineering-resources/dynamodb-pricing', '2025-07'),
};
const eventBridge = published('cloudburn.io/blog/amazon-eventbridge-pricing', '2026-03');
const million = 1e6;

const units: readonly UnitPrice[] = [
  { unit: 'request', usd: 0.2 / million, freePerMonth: million, ...lambda },
  { unit: 'GB-second (arm64)', usd: 0.0000133334, freePerMonth: 400_000, ...lambda },
  { unit: 'read request unit', usd: 0.125 / million, ...dynamodb },
  { unit: 'write request unit', usd: 0.625 / million, ...dynamodb },
  { service: 'scheduler', unit: 'invocation', usd: 1 / million, freePerMonth: 14 * million, ...eventBridge },
  { service: 'events', unit: 'custom event', usd: 1 / million, ...eventBridge },
  {
    service: 'sqs',
    unit: 'request',
    usd: 0.4 / million,
    freePerMonth: million,
    ...published('cloudburn.io/blog/amazon-sqs-pricing', '2026-03'),
  },
  {
    service: 'cloudwatch',
    unit: 'metric read',
    usd: 0.01 / 1000,
    ...published(
      'blog.burakcankus.com/2024/03/31/disable-aws-cloudfront-distributions-if-budget-is-exceeded.html',
      '2024-04',
    ),
  },
  {
    service: 'cloudwatch',
    unit: 'custom metric',
    usd: 0.3,
    freePerMonth: 10,
    ...published('cal53.calculator.city/cloudwatch-custom-metrics-calculator', 'undated'),
  },
  {
    service: 'cloudwatch',
    unit: 'dashboard',
    usd: 3,
    freePerMonth: 3,
    ...published('vantage.sh/blog/cloudwatch-metrics-pricing-explained-in-plain-english', 'undated'),
  },
  {
    service: 'cloudwatch',
    unit: 'alarm',
    usd: 0.1,
    freePerMonth: 10,
    ...published('c3x.dev/resources/aws/aws_cloudwatch_metric_alarm', 'undated'),
  },
];

export const prices: Prices = {
  instances,
  units,
  usage: [
    { service: 'lambda', unit: 'request', per: 'signal', each: 1 },
    { service: 'lambda', unit: 'GB-second (arm64)', per: 'signal', each: 1 },
    { service: 'dynamodb', unit: 'read request unit', per: 'signal', each: 20 },
    { service: 'dynamodb', unit: 'write request unit', per: 'signal', each: 10 },
    { service: 'sqs', unit: 'request', per: 'signal', each: 5 },
    { service: 'cloudwatch', unit: 'metric read', per: 'tick', each: 20 },
    { service: 'cloudwatch', unit: 'custom metric', per: 'metric', each: 1 },
  ],
};
