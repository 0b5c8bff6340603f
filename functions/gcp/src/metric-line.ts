import type { Installation } from '@serin/platform/names';

/**
 * Cloud Logging takes a line of JSON as a structured entry; a metric of the logs counts those that name it
 * (`jsonPayload.metric`), with their value, without a call.
 *
 * https://docs.cloud.google.com/logging/docs/structured-logging
 */
export const metricLine =
  ({ project, environment }: Installation) =>
  (metric: string, value: number): object => ({ severity: 'INFO', metric, value, project, environment });
