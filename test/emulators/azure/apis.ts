import { clientProblems } from './clients.ts';

/** A call of a service beside Azure ML. */
export interface Api {
  readonly verb: string;
  /** Of management it begins with `/`; else with the name of the service. */
  readonly path: string;
  /** The api-versions that are taken; none: the service has no such parameter. */
  readonly versions: readonly string[];
  readonly query?: readonly string[];
  /** Who says that this is the form of the call. */
  readonly source: string;
  readonly body?: (body: unknown) => Iterable<string>;
  readonly answer?: (status: number, body: unknown) => Iterable<string>;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies that Microsoft's client could read
type Body = any;

const insights = '/{resource+}/providers/Microsoft.Insights';
const groups = '/subscriptions/{subscription}/resourceGroups/{group}/providers';
const locations = '/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}';

function* metricsProblems(body: Body): Generator<string> {
  yield* clientProblems('metrics', body);
  for (const key of ['timespan', 'value']) if (body?.[key] === undefined) yield `${key}: missing`;
  for (const metric of body?.value ?? [])
    for (const key of ['id', 'type', 'name', 'unit', 'timeseries'])
      if (metric[key] === undefined) yield `value.${key}: missing`;
}

/**
 * A setting is of one resource, and a rule has a trigger and an action. Limits:
 * https://learn.microsoft.com/azure/azure-monitor/autoscale/autoscale-best-practices
 */
function* autoscaleProblems(body: Body): Generator<string> {
  yield* clientProblems('autoscaleSetting', body);
  const { location, properties } = body ?? {};
  if (typeof location !== 'string') yield 'location: missing';
  const profiles: Body[] = properties?.profiles ?? [];
  if (profiles.length < 1 || profiles.length > 20) yield `profiles: ${profiles.length}, not 1 to 20`;
  for (const { capacity = {}, rules = [] } of profiles) {
    const [least, most, usual] = [capacity.minimum, capacity.maximum, capacity.default];
    for (const count of [least, most, usual])
      if (!/^\d+$/.test(String(count)) || typeof count !== 'string') yield `capacity: ${count} is not a number as text`;
    if (Number(least) > Number(usual) || Number(usual) > Number(most)) yield 'capacity: minimum, default, maximum';
    if (rules.length > 10) yield `rules: ${rules.length}, more than 10`;
    for (const rule of rules) yield* ruleProblems(rule);
  }
}

const triggers = ['metricName', 'metricResourceUri', 'timeGrain', 'statistic', 'timeWindow', 'timeAggregation'];

function* ruleProblems({ metricTrigger = {}, scaleAction = {} }: Body): Generator<string> {
  for (const key of [...triggers, 'operator', 'threshold'])
    if (metricTrigger[key] === undefined) yield `metricTrigger.${key}: missing`;
  for (const key of ['direction', 'type', 'cooldown'])
    if (scaleAction[key] === undefined) yield `scaleAction.${key}: missing`;
}

const secretKeys = ['value', 'id', 'contentType', 'attributes', 'tags', 'kid', 'managed', 'previousVersion'];
const attributeKeys = ['enabled', 'nbf', 'exp', 'created', 'updated', 'recoverableDays', 'recoveryLevel'];

/** `SecretBundle`: Azure/azure-rest-api-specs, specification/keyvault/Security.KeyVault.Secrets/models.tsp. */
function* secretProblems(body: Body): Generator<string> {
  for (const key of Object.keys(body ?? {})) if (!secretKeys.includes(key)) yield `${key}: a secret has no such key`;
  for (const key of Object.keys(body?.attributes ?? {}))
    if (!attributeKeys.includes(key)) yield `attributes.${key}: a secret has no such key`;
  for (const key of ['value', 'id']) if (typeof body?.[key] !== 'string') yield `${key}: it is not text`;
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations */
function* operationProblems(body: Body): Generator<string> {
  const keys = ['id', 'name', 'status', 'startTime', 'endTime', 'percentComplete', 'properties', 'error'];
  for (const key of Object.keys(body ?? {})) if (!keys.includes(key)) yield `${key}: a status has no such key`;
  if (typeof body?.status !== 'string') yield 'status: missing';
  const isBad = ['Failed', 'Canceled'].includes(body?.status);
  if (isBad !== (typeof body?.error?.code === 'string')) yield 'error: with Failed and Canceled, and only then';
}

function* queryProblems(body: Body): Generator<string> {
  yield* clientProblems('query', body);
  if (typeof body?.query !== 'string') yield 'query: missing';
}

/** Whoever answers a success. */
const ok = (problems: (body: unknown) => Iterable<string>) => (status: number, body: unknown) =>
  status < 202 ? problems(body) : [];

const setting = (path: string, version: string, problems: (body: unknown) => Iterable<string>): readonly Api[] => {
  const common = { path, versions: [version], source: '@azure/arm-monitor' };
  return [
    { verb: 'GET', ...common, answer: ok(problems) },
    { verb: 'PUT', ...common, body: problems, answer: ok(problems) },
    { verb: 'DELETE', ...common },
  ];
};

export const apis: readonly Api[] = [
  {
    verb: 'GET',
    path: `${insights}/metrics`,
    versions: ['2024-02-01'],
    query: [
      ...['timespan', 'interval', 'metricnames', 'aggregation', 'top', 'orderby', '$filter', 'resultType'],
      ...['metricnamespace', 'AutoAdjustTimegrain', 'ValidateDimensions', 'rollupby'],
    ],
    source: '@azure/arm-monitor',
    answer: ok(metricsProblems),
  },
  ...setting(`${groups}/Microsoft.Insights/autoscalesettings/{setting}`, '2022-10-01', autoscaleProblems),
  ...setting(`${insights}/diagnosticSettings/{setting}`, '2021-05-01-preview', (body) =>
    clientProblems('diagnosticSetting', body),
  ),
  {
    verb: 'POST',
    path: 'logs:/v1/workspaces/{workspace}/query',
    versions: [],
    source: '@azure/monitor-query-logs',
    body: queryProblems,
    answer: ok((body) => clientProblems('logs', body)),
  },
  {
    verb: 'GET',
    path: `history:/history/v1.0${groups}/Microsoft.MachineLearningServices/workspaces/{workspace}/runs/{run}/details`,
    versions: ['v1.0'],
    source: 'azure-ai-ml 1.35.2, _restclient/runhistory',
  },
  // https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
  ...['vault:/secrets/{secret}', 'vault:/secrets/{secret}/{version}'].map((path) => ({
    verb: 'GET',
    path,
    versions: ['7.4', '7.5', '7.6', '2025-07-01'],
    source: 'Azure/azure-rest-api-specs',
    answer: ok(secretProblems),
  })),
  ...['mfeOperationsStatus', 'mfeOperationResults'].map((kind) => ({
    verb: 'GET',
    path: `${locations}/${kind}/{operation}`,
    versions: ['2025-12-01'],
    source: 'the documentation of Azure Resource Manager',
    answer: kind === 'mfeOperationsStatus' ? ok(operationProblems) : () => [],
  })),
];
