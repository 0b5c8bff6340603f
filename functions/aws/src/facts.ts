import { asFault } from '@serin/core/base/fault';

/** One line of JSON for each fact; counts are metrics as well, by the line alone. */
export interface Facts {
  say(fact: string, more: Readonly<Record<string, unknown>>): void;
  fault(what: string, error: unknown): void;
  count(metric: string, more: Readonly<Record<string, unknown>>, value?: number): void;
}

// The embedded metric format: CloudWatch makes a metric of a log line, without a call.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
export function jsonFacts(
  project: string,
  environment: string,
  write: (line: string) => void,
  now: () => number,
): Facts {
  const line = (body: Readonly<Record<string, unknown>>) => write(JSON.stringify(body));
  return {
    say: (fact, more) => line({ fact, ...more }),
    fault: (what, error) => {
      const { code, message } = asFault(error);
      line({
        fact: 'fault',
        what,
        code,
        message,
        ...(code === 'defect' && error instanceof Error ? { stack: error.stack } : {}),
      });
    },
    count: (metric, more, value = 1) =>
      line({
        ...more,
        _aws: {
          Timestamp: now(),
          CloudWatchMetrics: [
            {
              Namespace: 'Serin',
              Dimensions: [['Project', 'Environment']],
              Metrics: [{ Name: metric, Unit: metric.endsWith('Seconds') ? 'Seconds' : 'Count' }],
            },
          ],
        },
        Project: project,
        Environment: environment,
        [metric]: value,
      }),
  };
}
