import type { Alarm, AlarmWhen, Channel, LogMetric } from '../topology/shapes.ts';
import type { Around, Pulumi } from './pulumi.ts';

/** What is counted, and who hears that Serin is not well. */
export function renderWatch(around: Around): readonly Pulumi.Resource[] {
  const { logMetrics, channels, alarms, settings } = around.topology;
  const counted = logMetrics.map((metric) => renderLogMetric(around, metric));
  const heard = channels.map((channel) => ({ channel, made: renderChannel(around, channel) }));
  const told = [
    ...heard.filter(({ channel }) => channel.type === 'email').map(({ made }) => made.name),
    ...(settings.notify === undefined ? [] : [settings.notify]),
  ];
  for (const alarm of alarms) renderAlarm({ ...around, after: counted }, alarm, told);
  renderDashboard({ ...around, after: counted });
  renderLogStore(around);
  return heard.map(({ made }) => made);
}

function renderLogMetric({ gcp, after }: Around, { name, says, filter, value }: LogMetric): Pulumi.Resource {
  return new gcp.logging.Metric(
    `Counts-${name}`,
    {
      name,
      description: says,
      filter,
      metricDescriptor: { metricKind: 'DELTA', valueType: 'DISTRIBUTION', unit: '1' },
      valueExtractor: value,
      bucketOptions: { exponentialBuckets: { numFiniteBuckets: 24, growthFactor: 2, scale: 1 } },
    },
    { dependsOn: [...after] },
  );
}

const renderChannel = ({ gcp, topology, after }: Around, { id, name, type, labels }: Channel) =>
  new gcp.monitoring.NotificationChannel(
    `Channel-${id}`,
    { displayName: name, type, labels: { ...labels }, userLabels: { ...topology.labels } },
    { dependsOn: [...after] },
  );

function renderAlarm(
  { gcp, topology, after }: Around,
  { id, name, says, when }: Alarm,
  notificationChannels: readonly Pulumi.Output<string>[] | readonly Pulumi.Input<string>[],
): void {
  new gcp.monitoring.AlertPolicy(
    `Alarm-${id}`,
    {
      displayName: name,
      combiner: 'OR',
      conditions: [{ displayName: name, ...conditionOf(when) }],
      documentation: { content: says, mimeType: 'text/markdown' },
      // Monitoring wants a limit where a line of a log is looked for, and takes none elsewhere.
      ...(when.kind === 'logged'
        ? { alertStrategy: { notificationRateLimit: { period: `${when.everySeconds}s` } } }
        : {}),
      notificationChannels: [...notificationChannels],
      userLabels: { ...topology.labels },
    },
    { dependsOn: [...after] },
  );
}

function conditionOf(when: AlarmWhen) {
  const aggregations = (periodSeconds: number, perSeriesAligner: string, crossSeriesReducer: string) => [
    { alignmentPeriod: `${periodSeconds}s`, perSeriesAligner, crossSeriesReducer },
  ];
  if (when.kind === 'silent')
    return {
      conditionAbsent: {
        filter: when.filter,
        duration: `${when.forSeconds}s`,
        aggregations: aggregations(60, 'ALIGN_DELTA', 'REDUCE_SUM'),
        trigger: { count: 1 },
      },
    };
  if (when.kind === 'logged') return { conditionMatchedLog: { filter: when.filter } };
  const { filter, aligner, periodSeconds, forSeconds, threshold } = when;
  return {
    conditionThreshold: {
      filter,
      comparison: 'COMPARISON_GT',
      // Monitoring knows only "greater than".
      thresholdValue: threshold - 1,
      duration: `${forSeconds}s`,
      aggregations: aggregations(periodSeconds, aligner, aligner === 'ALIGN_MAX' ? 'REDUCE_MAX' : 'REDUCE_SUM'),
      trigger: { count: 1 },
    },
  };
}

function renderDashboard({ gcp, topology: { dashboard }, after }: Around): void {
  if (dashboard === undefined) return;
  new gcp.monitoring.Dashboard('Dashboard', { dashboardJson: JSON.stringify(dashboard) }, { dependsOn: [...after] });
}

function renderLogStore({ gcp, topology: { logStore, where }, after }: Around): void {
  if (logStore === undefined) return;
  const bucket = new gcp.logging.ProjectBucketConfig(
    'Logs',
    {
      project: where.account,
      location: where.region,
      bucketId: logStore.name,
      retentionDays: logStore.days,
    },
    { dependsOn: [...after] },
  );
  new gcp.logging.ProjectSink(
    'Logs',
    {
      name: logStore.name,
      project: where.account,
      destination: `logging.googleapis.com/projects/${where.account}/locations/${where.region}/buckets/${logStore.name}`,
      filter: logStore.filter,
    },
    { dependsOn: [bucket] },
  );
}
