import { type Metric, metrics } from '../../shared/metrics.ts';
import { plans } from './functions.ts';
import type { Places } from './places.ts';
import type { Dashboard, QueueId } from './shapes.ts';

type Row = readonly unknown[];

const graphs: readonly (readonly [Metric['graph'], string])[] = [
  ['runs', 'Runs, by how the gate judged them'],
  ['rollouts', 'Rollouts, by how they ended'],
  ['debts', 'What is owed: seconds that the oldest has waited, and how often something was put off'],
  ['signals', 'Signals'],
];

/** What an installation does, on one page: what its functions count, and what Lambda and SQS say of it. */
export function dashboardOf({ name, where, settings: { project, environment } }: Places): Dashboard {
  const ours = ['Project', project, 'Environment', environment];
  const counted = graphs.map(([graph, title]): readonly [string, readonly Row[]] => [
    title,
    metrics
      .filter((metric) => metric.graph === graph)
      .map(({ name: metric, statistic }) => ['Serin', metric, ...ours, { stat: statistic }]),
  ]);
  const ofFunctions = (metric: string, stat: string): readonly Row[] =>
    Object.keys(plans).map((id) => ['AWS/Lambda', metric, 'FunctionName', name(id), { stat, label: id }]);
  const oldest = (['signals', 'dead'] as const).map((id: QueueId) => [
    'AWS/SQS',
    'ApproximateAgeOfOldestMessage',
    'QueueName',
    name(id),
    { stat: 'Maximum', label: id },
  ]);
  const all: readonly (readonly [string, readonly Row[]])[] = [
    ...counted,
    ['Calls of the functions', ofFunctions('Invocations', 'Sum')],
    ['Errors and throttles', [...ofFunctions('Errors', 'Sum'), ...ofFunctions('Throttles', 'Sum')]],
    ['Milliseconds of a call, p99', ofFunctions('Duration', 'p99')],
    ['Seconds that the oldest message has waited', oldest],
  ];
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
  const widgets = all.map(([title, rows], index) => ({
    type: 'metric',
    ...{ x: 12 * (index % 2), y: 6 * Math.floor(index / 2), width: 12, height: 6 },
    properties: { title, region: where.region, view: 'timeSeries', period: 300, metrics: rows },
  }));
  return { name: name('dashboard'), body: { widgets } };
}
