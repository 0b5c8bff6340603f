import type { Installation } from '@serin/platform/names';

/**
 * The embedded metric format: CloudWatch makes a metric of a log line, without a call.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export const embeddedMetric =
  ({ project, environment }: Installation, now: () => number) =>
  (name: string, value: number): object => ({
    _aws: {
      Timestamp: now(),
      CloudWatchMetrics: [
        {
          Namespace: 'Serin',
          Dimensions: [['Project', 'Environment']],
          Metrics: [{ Name: name, Unit: name.endsWith('Seconds') ? 'Seconds' : 'Count' }],
        },
      ],
    },
    Project: project,
    Environment: environment,
    [name]: value,
  });
