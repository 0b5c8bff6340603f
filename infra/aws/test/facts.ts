import { resourcePolicy, rolePolicy, trustPolicy } from '../topology/policy.ts';
import type { Network, Role } from '../topology/shapes.ts';
import type { Topology } from '../topology.ts';
import { where } from './settings.ts';

/** What a rendering says, whatever tool has made it: by the names and ARNs that things have once they stand. */
export interface Facts {
  readonly functions: Named;
  readonly roles: Named;
  readonly queues: Named;
  readonly mappings: readonly unknown[];
  readonly schedules: Named;
  readonly asyncCalls: readonly unknown[];
  readonly urls: readonly unknown[];
  readonly table: unknown;
  readonly buckets: Named;
  readonly bus: unknown;
  readonly rules: Named;
  readonly alarms: Named;
  readonly dashboard: unknown;
  readonly logs: Named;
  readonly topics: Named;
  readonly imageCache: unknown;
  readonly network: unknown;
}
type Named = Readonly<Record<string, unknown>>;

export const subnets = ['subnet-0', 'subnet-1'];
export const securityGroups = ['sg-0'];

export const arnOf = (service: string, rest: string): string =>
  `arn:aws:${service}:${where.region}:${where.account}:${rest}`;
export const roleArn = (name: string): string => `arn:aws:iam::${where.account}:role/${name}`;
const named = <Item extends { readonly name: string }>(items: readonly Item[], fact: (item: Item) => unknown): Named =>
  Object.fromEntries(items.map((item) => [item.name, fact(item)]));

const networkFacts = ({ apiInterface: _, ...network }: Network) => network;
const vpcOf = ({ settings: { network } }: Topology) => {
  if (network === undefined) return null;
  return network === 'isolated' ? { subnets, securityGroups } : network;
};

/** What the topology promises, as facts. */
export function factsOf(made: Topology): Facts {
  const { functions, queues, table, settings } = made;
  const queueArn = (id: string): string => arnOf('sqs', queues.find((queue) => queue.id === id)?.name ?? '');
  const functionArn = (name: string): string => arnOf('lambda', `function:${name}`);
  const triggers = functions.map(({ name, trigger }) => ({ name, trigger }));
  const schedules = functions.flatMap(({ name, trigger }) =>
    trigger.kind === 'schedule' ? [{ function: name, ...trigger.schedule }] : [],
  );
  const roles: readonly Role[] = [
    ...functions.map(({ role }) => role),
    ...schedules.map(({ role }) => role),
    made.jobRole,
    made.modelRole,
  ];
  const encryption = settings.kmsKey ?? 'AES256';
  return {
    functions: named(functions, (each) => ({
      runtime: each.runtime,
      architectures: [each.architecture],
      handler: each.handler,
      memoryMb: each.memoryMb,
      timeoutSeconds: each.timeoutSeconds,
      role: roleArn(each.role.name),
      log: each.logGroup,
      environment: Object.fromEntries(
        Object.entries(each.environment).map(([key, value]) => [
          key,
          typeof value === 'string' ? value : { subnets, securityGroups }[value.network].join(),
        ]),
      ),
      reserved: each.reservedConcurrency ?? null,
      loops: each.wakesItself ? 'Allow' : 'Terminate',
      vpc: vpcOf(made),
    })),
    roles: named(roles, (role) => ({ trust: trustPolicy(role), policies: [rolePolicy(role)] })),
    queues: named(queues, ({ visibilitySeconds, retentionSeconds, deadAfter, statements }) => ({
      visibilitySeconds,
      retentionSeconds,
      encrypted: true,
      dead: deadAfter === undefined ? null : { arn: queueArn(deadAfter.queue), receives: deadAfter.receives },
      policy: resourcePolicy(statements),
    })),
    mappings: triggers.flatMap(({ name, trigger }) =>
      trigger.kind === 'queue'
        ? [
            {
              function: name,
              queue: queueArn(trigger.queue),
              batch: trigger.batch,
              partial: ['ReportBatchItemFailures'],
              maxConcurrency: trigger.maxConcurrency,
            },
          ]
        : [],
    ),
    schedules: named(schedules, (each) => ({
      group: each.group,
      rate: each.rate,
      target: functionArn(each.function),
      role: roleArn(each.role.name),
      retries: each.retries,
      maxAgeSeconds: each.maxAgeSeconds,
    })),
    asyncCalls: schedules.map((each) => ({
      function: each.function,
      retries: each.retries,
      maxAgeSeconds: each.maxAgeSeconds,
    })),
    urls: triggers.flatMap(({ name, trigger }): readonly object[] => {
      if (trigger.kind === 'url') return [{ function: name, auth: 'NONE' }];
      if (trigger.kind !== 'privateApi') return [];
      return [{ api: trigger.apiName, stage: trigger.stage, types: 'PRIVATE', bytes: trigger.binaryMediaTypes }];
    }),
    table: {
      name: table.name,
      keys: [table.partitionKey, table.sortKey],
      types: ['S', 'S'],
      billing: 'PAY_PER_REQUEST',
      protected: table.deletionProtection,
      recovery: table.pointInTimeRecovery,
      kmsKey: settings.kmsKey ?? null,
      kept: true,
    },
    buckets: named(made.buckets, (bucket) => ({
      versioning: 'Enabled',
      blocked: [true, true, true, true],
      encryption,
      events: bucket.events,
      policy: resourcePolicy(bucket.statements),
      abortUploadsAfterDays: bucket.unfinishedUploads.days,
      forgetOldVersionsAfterDays: bucket.oldVersions?.days ?? null,
      forgotten: bucket.forgotten.map(({ prefix, days }) => [prefix, days, 1]),
      kept: true,
    })),
    bus: made.bus,
    rules: named(made.rules, ({ pattern, queue, deadLetters }) => ({
      pattern,
      target: queueArn(queue),
      dead: queueArn(deadLetters),
    })),
    alarms: named(made.alarms, ({ id: _, name: __, ...alarm }) => ({
      ...alarm,
      actions: settings.notify === undefined ? [] : [settings.notify],
    })),
    dashboard: made.dashboard ?? null,
    logs: Object.fromEntries(functions.map(({ logGroup }) => [logGroup, made.logDays])),
    topics: named(made.alertTopic === undefined ? [] : [made.alertTopic], ({ queue, statements }) => ({
      policy: resourcePolicy(statements),
      subscriptions: [queueArn(queue)],
    })),
    imageCache: { prefix: made.imageCache.prefix, upstream: made.imageCache.upstream },
    network: made.network === undefined ? null : networkFacts(made.network),
  };
}
