/** The services beside Azure ML. Their paths begin with `/`; that of a service other than management with its name. */
export interface Api {
  readonly verb: string;
  /** As it is shown in the table of calls. */
  readonly path: string;
  /** The api-versions that are taken; none: the service has no such parameter. */
  readonly versions: readonly string[];
  readonly query?: readonly string[];
  /** Who says that this is the form of the call. */
  readonly source: string;
}

const insights = '/{resource+}/providers/Microsoft.Insights';
const groups = '/subscriptions/{subscription}/resourceGroups/{group}/providers';

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
  },
  ...['GET', 'PUT', 'DELETE'].map((verb) => ({
    verb,
    path: `${groups}/Microsoft.Insights/autoscalesettings/{setting}`,
    versions: ['2022-10-01'],
    source: '@azure/arm-monitor',
  })),
  ...['GET', 'PUT', 'DELETE'].map((verb) => ({
    verb,
    path: `${insights}/diagnosticSettings/{setting}`,
    versions: ['2021-05-01-preview'],
    source: '@azure/arm-monitor',
  })),
  {
    verb: 'POST',
    path: 'logs:/v1/workspaces/{workspace}/query',
    versions: [],
    source: '@azure/monitor-query-logs',
  },
  ...['vault:/secrets/{secret}', 'vault:/secrets/{secret}/{version}'].map((path) => ({
    verb: 'GET',
    path,
    versions: ['7.4', '7.5', '7.6', '2025-07-01'],
    source: 'Azure/azure-rest-api-specs',
  })),
  ...['mfeOperationsStatus', 'mfeOperationResults'].map((kind) => ({
    verb: 'GET',
    path: `/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/${kind}/{operation}`,
    versions: ['2025-12-01'],
    source: 'https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations',
  })),
];
