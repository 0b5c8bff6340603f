import {
  CfnEventInvokeConfig,
  CfnEventSourceMapping,
  CfnFunction,
  CfnPermission,
  CfnUrl,
} from 'aws-cdk-lib/aws-lambda';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import type { Code } from '../bundle.ts';
import { resourceId } from '../topology/places.ts';
import type { Schedule, ServerlessFunction, Topology, UrlPermission } from '../topology/shapes.ts';
import type { RenderedNetwork } from './network.ts';
import { renderPrivateApi } from './private-api.ts';
import { renderRole } from './roles.ts';
import type { Queues } from './stores.ts';

export interface Around {
  readonly topology: Topology;
  readonly code: Code;
  readonly queues: Queues;
  readonly network: RenderedNetwork | undefined;
}

/** Returns the address of the API. */
export function renderFunctions(scope: Construct, around: Around): string {
  let address = '';
  for (const each of around.topology.functions) address = renderFunction(scope, each, around) ?? address;
  return address;
}

function renderFunction(scope: Construct, each: ServerlessFunction, around: Around): string | undefined {
  const { topology, code, network } = around;
  const id = resourceId(each.id);
  const asset = new Asset(scope, `${id}Code`, { path: code[each.id] });
  const log = new CfnLogGroup(scope, `${id}Log`, { logGroupName: each.logGroup, retentionInDays: topology.logDays });
  const made = new CfnFunction(scope, `${id}Function`, {
    functionName: each.name,
    description: each.does,
    runtime: each.runtime,
    architectures: [each.architecture],
    handler: each.handler,
    memorySize: each.memoryMb,
    timeout: each.timeoutSeconds,
    role: renderRole(scope, `${id}Role`, each.role).attrArn,
    code: { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey },
    environment: { variables: environmentOf(each, network) },
    loggingConfig: { logGroup: log.ref },
    ...(each.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: each.reservedConcurrency }),
    recursiveLoop: each.wakesItself ? 'Allow' : 'Terminate',
    ...(network === undefined
      ? {}
      : { vpcConfig: { subnetIds: [...network.subnets], securityGroupIds: [...network.securityGroups] } }),
  });
  return renderTrigger(scope, id, each, made, around);
}

const environmentOf = ({ environment }: ServerlessFunction, network: RenderedNetwork | undefined) =>
  Object.fromEntries(
    Object.entries(environment).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : (network?.[value.network] ?? []).join(','),
    ]),
  );

function renderTrigger(
  scope: Construct,
  id: string,
  { trigger }: ServerlessFunction,
  made: CfnFunction,
  { queues, network }: Around,
): string | undefined {
  switch (trigger.kind) {
    case 'queue':
      new CfnEventSourceMapping(scope, `${id}Queue`, {
        functionName: made.ref,
        eventSourceArn: queues[trigger.queue].attrArn,
        batchSize: trigger.batch,
        functionResponseTypes: ['ReportBatchItemFailures'],
        scalingConfig: { maximumConcurrency: trigger.maxConcurrency },
      });
      return undefined;
    case 'schedule':
      renderSchedule(scope, trigger.schedule, made);
      return undefined;
    case 'privateApi':
      return renderPrivateApi(scope, trigger, made, network?.apiEndpoint ?? '');
    case 'url':
      return renderUrl(scope, trigger.permissions, made);
  }
}

function renderUrl(scope: Construct, permissions: readonly UrlPermission[], made: CfnFunction): string {
  for (const { id, ...permission } of permissions)
    new CfnPermission(scope, `Api${id}Permission`, { functionName: made.ref, principal: '*', ...permission });
  return new CfnUrl(scope, 'ApiUrl', { targetFunctionArn: made.attrArn, authType: 'NONE' }).attrFunctionUrl;
}

function renderSchedule(scope: Construct, schedule: Schedule, made: CfnFunction): void {
  const group = new CfnScheduleGroup(scope, 'ClockGroup', { name: schedule.group });
  const retry = { maximumRetryAttempts: schedule.retries, maximumEventAgeInSeconds: schedule.maxAgeSeconds };
  new CfnSchedule(scope, 'Clock', {
    name: schedule.name,
    groupName: group.ref,
    scheduleExpression: schedule.rate,
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: made.attrArn,
      roleArn: renderRole(scope, 'ScheduleRole', schedule.role).attrArn,
      retryPolicy: retry,
    },
  });
  new CfnEventInvokeConfig(scope, 'ClockCalls', { functionName: made.ref, qualifier: '$LATEST', ...retry });
}
