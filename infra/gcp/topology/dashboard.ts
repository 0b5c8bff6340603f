import { type Metric, metrics } from '../../shared/metrics.ts';
import { metricIdOf } from './alarms.ts';
import { functionIds, functionName } from './functions.ts';
import type { Places } from './places.ts';
import type { Dashboard, DataSet } from './shapes.ts';

const graphs: readonly (readonly [Metric['graph'], string])[] = [
  ['runs', 'Runs, by how the gate judged them'],
  ['rollouts', 'Rollouts, by how they ended'],
  ['debts', 'What is owed: seconds that the oldest has waited, and how often something was put off'],
  ['signals', 'Signals'],
];

const period = '5m';
const line = (legendTemplate: string, prometheusQuery: string): DataSet => ({
  plotType: 'LINE',
  legendTemplate,
  timeSeriesQuery: { prometheusQuery },
});

/** What an installation does, on one page: what its functions count, and what Cloud Run and Pub/Sub say of it. */
export function dashboardOf(places: Places): Dashboard {
  // A metric of logs with values is a distribution: PromQL knows its sum, and its quantiles by its buckets.
  // https://docs.cloud.google.com/monitoring/promql/promql-mapping
  const ours = (metric: string): string => `logging_googleapis_com:user_${metricIdOf(places, metric)}`;
  const queryOf = ({ name, statistic }: Metric): string =>
    statistic === 'Sum'
      ? `sum(increase(${ours(name)}_sum[${period}]))`
      : `histogram_quantile(1, sum by (le) (increase(${ours(name)}_bucket[${period}])))`;
  const services = functionIds.map((id) => functionName(places, id)).join('|');
  const ofFunctions = (metric: string): string =>
    `run_googleapis_com:${metric}{monitored_resource="cloud_run_revision",service_name=~"${services}"}`;
  const bySubscription = `max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource="pubsub_subscription",subscription_id=~"${services}"})`;
  const all: readonly (readonly [string, readonly DataSet[]])[] = [
    ...graphs.map(
      ([graph, title]) =>
        [
          title,
          metrics.filter((metric) => metric.graph === graph).map((metric) => line(metric.name, queryOf(metric))),
        ] as const,
    ),
    [
      'Requests of the functions, by code',
      [
        line(
          '{{service_name}} {{response_code}}',
          `sum by (service_name, response_code) (increase(${ofFunctions('request_count')}[${period}]))`,
        ),
      ],
    ],
    [
      'Milliseconds of a request, p99',
      [
        line(
          '{{service_name}}',
          `histogram_quantile(0.99, sum by (le, service_name) (rate(${ofFunctions('request_latencies_bucket')}[${period}])))`,
        ),
      ],
    ],
    ['Seconds that the oldest message has waited', [line('{{subscription_id}}', bySubscription)]],
  ];
  return {
    displayName: places.name('dashboard'),
    mosaicLayout: {
      columns: 48,
      tiles: all.map(([title, dataSets], index) => ({
        ...{ xPos: 24 * (index % 2), yPos: 12 * Math.floor(index / 2), width: 24, height: 12 },
        widget: { title, xyChart: { dataSets } },
      })),
    },
  };
}
