import { resourceId } from '../topology/places.ts';
import type { Schedule, ServerlessFunction, UrlPermission } from '../topology/shapes.ts';
import type { RenderedNetwork } from './network.ts';
import { renderPrivateApi } from './private-api.ts';
import type { Around, Aws, Pulumi } from './pulumi.ts';
import { type Queues, type RenderedRole, renderRole } from './stores.ts';

export interface Surroundings extends Around {
  readonly queues: Queues;
  readonly network: RenderedNetwork | undefined;
  readonly where: { readonly partition: string; readonly region: string; readonly urlSuffix: string };
}

export function renderFunctions(around: Surroundings): Pulumi.Output<string> | undefined {
  let address: Pulumi.Output<string> | undefined;
  for (const each of around.topology.functions) address = renderFunction(around, each) ?? address;
  return address;
}

function renderFunction(around: Surroundings, each: ServerlessFunction): Pulumi.Output<string> | undefined {
  const { aws, pulumi, topology, code, network } = around;
  const id = resourceId(each.id);
  const log = new aws.cloudwatch.LogGroup(id, { name: each.logGroup, retentionInDays: topology.logDays });
  const role = renderRole(around, id, each.role);
  const made = new aws.lambda.Function(
    id,
    {
      name: each.name,
      description: each.does,
      runtime: each.runtime,
      architectures: [each.architecture],
      handler: each.handler,
      memorySize: each.memoryMb,
      timeout: each.timeoutSeconds,
      role: role.role.arn,
      code: new pulumi.asset.FileArchive(code[each.id]),
      environment: { variables: environmentOf(around, each) },
      loggingConfig: { logFormat: 'Text', logGroup: log.name },
      ...(each.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: each.reservedConcurrency }),
      ...(network === undefined
        ? {}
        : { vpcConfig: { subnetIds: [...network.subnets], securityGroupIds: [...network.securityGroups] } }),
    },
    { dependsOn: [role.policy] },
  );
  new aws.lambda.FunctionRecursionConfig(id, {
    functionName: made.name,
    recursiveLoop: each.wakesItself ? 'Allow' : 'Terminate',
  });
  return renderTrigger(around, id, each, { made, role });
}

const environmentOf = ({ pulumi, network }: Surroundings, { environment }: ServerlessFunction) =>
  Object.fromEntries(
    Object.entries(environment).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : pulumi.all([...(network?.[value.network] ?? [])]).apply((ids) => ids.join()),
    ]),
  );

function renderTrigger(
  around: Surroundings,
  id: string,
  { trigger }: ServerlessFunction,
  { made, role }: { readonly made: Aws.lambda.Function; readonly role: RenderedRole },
): Pulumi.Output<string> | undefined {
  const { aws, queues } = around;
  switch (trigger.kind) {
    case 'queue':
      new aws.lambda.EventSourceMapping(
        id,
        {
          functionName: made.name,
          eventSourceArn: queues[trigger.queue].arn,
          batchSize: trigger.batch,
          functionResponseTypes: ['ReportBatchItemFailures'],
          scalingConfig: { maximumConcurrency: trigger.maxConcurrency },
        },
        { dependsOn: [role.policy] },
      );
      return undefined;
    case 'schedule':
      renderSchedule(around, trigger.schedule, made);
      return undefined;
    case 'privateApi':
      return renderPrivateApi(around, trigger, made);
    case 'url':
      return renderUrl(around, trigger.permissions, made);
  }
}

function renderUrl(
  { aws }: Surroundings,
  permissions: readonly UrlPermission[],
  made: Aws.lambda.Function,
): Pulumi.Output<string> {
  for (const { id, ...permission } of permissions)
    new aws.lambda.Permission(`Api${id}`, { function: made.name, principal: '*', ...permission });
  return new aws.lambda.FunctionUrl('Api', { functionName: made.name, authorizationType: 'NONE' }).functionUrl;
}

function renderSchedule(around: Surroundings, schedule: Schedule, made: Aws.lambda.Function): void {
  const { aws } = around;
  const group = new aws.scheduler.ScheduleGroup('Clock', { name: schedule.group });
  const retry = { maximumRetryAttempts: schedule.retries, maximumEventAgeInSeconds: schedule.maxAgeSeconds };
  new aws.scheduler.Schedule('Clock', {
    name: schedule.name,
    groupName: group.name,
    scheduleExpression: schedule.rate,
    flexibleTimeWindow: { mode: 'OFF' },
    target: { arn: made.arn, roleArn: renderRole(around, 'Schedule', schedule.role).role.arn, retryPolicy: retry },
  });
  new aws.lambda.FunctionEventInvokeConfig('Clock', { functionName: made.name, qualifier: '$LATEST', ...retry });
}
