import type { CostAtRest } from '../../shared/shapes.ts';
import type { Network, Settings } from './shapes.ts';

const minutesPerMonth = 730 * 60;
const hoursPerMonth = 730;
/** functions/aws/src/ports/journal.ts: the clock reads every shard of the index of what is due. */
const shards = 16;
const clockMemoryGb = 0.25;
/** A guess until `npm run bench:cold` and a live account say better. */
const clockSeconds = 0.2;

/** What an installation without work uses, as quantities; endpoints of models come on top. */
export function costsOf(settings: Settings, alarms: number, network: Network | undefined): readonly CostAtRest[] {
  return [
    { service: 'lambda', unit: 'request', perMonth: minutesPerMonth, why: 'the clock' },
    {
      service: 'lambda',
      unit: 'GB-second (arm64)',
      perMonth: minutesPerMonth * clockMemoryGb * clockSeconds,
      why: `the clock, ${clockSeconds} s each time (assumed)`,
    },
    { service: 'scheduler', unit: 'invocation', perMonth: minutesPerMonth, why: 'the clock' },
    {
      service: 'dynamodb',
      unit: 'read request unit',
      perMonth: minutesPerMonth * shards,
      why: `the clock: ${shards} consistent queries that find nothing`,
    },
    // Lambda polls a queue with at least 5 long polls of 20 s, also when it is empty.
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    { service: 'sqs', unit: 'request', perMonth: 2 * 5 * 3 * minutesPerMonth, why: 'Lambda polls two queues' },
    ...(settings.dashboard === false
      ? []
      : [{ service: 'cloudwatch', unit: 'dashboard', perMonth: 1, why: 'what it does, on one page; three are free' }]),
    { service: 'cloudwatch', unit: 'alarm', perMonth: alarms, why: "Serin's own alarms" },
    ...(settings.kmsKey === undefined
      ? []
      : [
          {
            service: 'kms',
            unit: 'request',
            perMonth: minutesPerMonth / 5,
            why: 'the table, about every 5 minutes (assumed)',
          },
        ]),
    ...(network === undefined
      ? []
      : [
          {
            service: 'privatelink',
            unit: 'endpoint-hour',
            perMonth: network.interfaces.length * network.subnets.length * hoursPerMonth,
            why: `${network.interfaces.length} interface endpoints in ${network.subnets.length} zones`,
          },
        ]),
  ];
}
