import type { Resource } from '../../shared/shapes.ts';
import type { Topology } from './shapes.ts';

type Listed = Pick<
  Topology,
  | 'database'
  | 'buckets'
  | 'captures'
  | 'topics'
  | 'notifications'
  | 'accounts'
  | 'customRoles'
  | 'repositories'
  | 'logMetrics'
  | 'channels'
  | 'alarms'
  | 'dashboard'
  | 'logStore'
  | 'where'
  | 'settings'
>;

const keptText = 'retained when the rest is destroyed';

/** What is deployed beside the functions, one row each. */
export function resourcesOf(made: Listed): readonly Resource[] {
  return [
    { kind: 'database', name: made.database.name, says: keptText },
    ...made.buckets.map(({ name, kept }) => ({
      kind: 'bucket',
      name,
      says: kept ? keptText : 'code of the functions',
    })),
    { kind: 'dataset', name: made.captures.dataset, says: `copies of requests, for ${made.captures.days} days` },
    ...made.topics.map(({ name, says }) => ({ kind: 'topic', name, says })),
    ...made.notifications.map(({ bucket }) => ({
      kind: 'notification',
      name: bucket,
      says: 'new objects, to signals',
    })),
    ...made.accounts.map(({ email, does }) => ({ kind: 'service account', name: email, says: does })),
    ...made.customRoles.map(({ id, permissions }) => ({ kind: 'role', name: id, says: permissions.join(' ') })),
    ...made.repositories.map(({ name, does }) => ({ kind: 'repository', name, says: does })),
    ...made.channels.map(({ name, type }) => ({ kind: 'notification channel', name, says: type })),
    ...made.logMetrics.map(({ name, says }) => ({ kind: 'metric', name, says })),
    ...made.alarms.map(({ name, says }) => ({ kind: 'alarm', name, says })),
    ...(made.dashboard === undefined ? [] : [{ kind: 'dashboard', name: made.dashboard.displayName }]),
    ...(made.logStore === undefined
      ? []
      : [{ kind: 'log bucket', name: made.logStore.name, says: `${made.logStore.days} days` }]),
  ];
}

const keptBuckets = ({ buckets }: Listed): readonly string[] =>
  buckets.filter(({ kept }) => kept).map(({ name }) => name);

/** What stays when the rest is destroyed. */
export const staysOf = (made: Listed): readonly string[] => [
  `the database ${made.database.name}: the history`,
  ...made.buckets
    .filter(({ kept }) => kept)
    .map(({ id, name }) => `the bucket ${name}: ${id === 'Own' ? 'code, configs and what jobs left' : 'your data'}`),
  'versions in the Model Registry, jobs and their logs, and the secrets that you have made',
];

/** What can be done with it; the names are fixed, so a plain second deployment would find them taken. */
export function laterOf(made: Listed): readonly string[] {
  const { account } = made.where;
  const next = (made.settings.roleGeneration ?? 1) + 1;
  const database = `--database=${made.database.name} --project=${account}`;
  return [
    'to deploy again with this history: write "adopt": true into serin.gcp.json, then serin deploy',
    // https://docs.cloud.google.com/iam/docs/creating-custom-roles#deleting-custom-role
    `to deploy again between 7 and 37 days from now, while Google keeps the names of the roles: write "roleGeneration": ${next} into serin.gcp.json as well`,
    `to forget it: gcloud firestore databases update ${database} --no-delete-protection && gcloud firestore databases delete ${database}; then gcloud storage rm --recursive gs://${keptBuckets(made)[0]}`,
  ];
}
