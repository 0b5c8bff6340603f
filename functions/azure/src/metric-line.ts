import type { Installation } from '@serin/platform/names';

/**
 * The host of functions sends each line of the output to Application Insights, as a trace with the line as its message
 * (`AppTraces`, `Message`). An alert on logs counts the traces whose message is JSON and names the metric (`metric`), with
 * their value, without a call. host.json must not have them sampled.
 *
 * https://learn.microsoft.com/azure/azure-functions/configure-monitoring#configure-sampling
 */
export const metricLine =
  ({ project, environment }: Installation) =>
  (metric: string, value: number): object => ({ metric, value, project, environment });
