import type { Resource } from '../../shared/shapes.ts';
import type { Topology } from './shapes.ts';

type Listed = Pick<
  Topology,
  'table' | 'buckets' | 'queues' | 'bus' | 'rules' | 'jobRole' | 'modelRole' | 'alarms' | 'dashboard' | 'imageCache'
>;

/** What is deployed beside the functions, one row each. */
export function resourcesOf(made: Listed): readonly Resource[] {
  const kept = 'retained when the rest is destroyed';
  return [
    { kind: 'table', name: made.table.name, says: kept },
    ...made.buckets.map(({ name }) => ({ kind: 'bucket', name, says: kept })),
    ...made.queues.map(({ name }) => ({ kind: 'queue', name })),
    { kind: 'bus', name: made.bus },
    ...made.rules.map(({ name, hears }) => ({ kind: 'rule', name, says: hears })),
    ...[made.jobRole, made.modelRole].map(({ name }) => ({ kind: 'role', name })),
    ...made.alarms.map(({ name, says }) => ({ kind: 'alarm', name, says })),
    ...(made.dashboard === undefined ? [] : [{ kind: 'dashboard', name: made.dashboard.name }]),
    { kind: 'image cache', name: made.imageCache.prefix, says: `of ${made.imageCache.upstream}` },
  ];
}

/** What stays when the rest is destroyed. */
export const staysOf = ({ table, buckets }: Listed): readonly string[] => [
  `the table ${table.name}: the history`,
  ...buckets.map(
    ({ id, name }) => `the bucket ${name}: ${id === 'Own' ? 'code, configs and what jobs left' : 'your data'}`,
  ),
  'versions in the model registry, logs of jobs, and the secrets that you have made',
];

/** What can be done with it; the names are fixed, so a plain second deployment would find them taken. */
export const laterOf = ({ table: { name } }: Listed): readonly string[] => [
  'to deploy again with this history: write "adopt": true into serin.aws.json, then serin deploy',
  `to forget it: aws dynamodb update-table --table-name ${name} --no-deletion-protection-enabled && aws dynamodb delete-table --table-name ${name}; then empty and delete the bucket`,
];
