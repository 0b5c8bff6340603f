/** One value of a family of metrics. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: `_bucket`, `_sum` or `_count`. */
  readonly suffix?: string;
}

/** A family of metrics, by its name without what its type adds. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  readonly help: string;
  /** The last word of the name, where it is a unit. */
  readonly unit?: 'seconds' | 'bytes' | 'ratio';
  readonly samples: readonly Sample[];
}

/**
 * Families as text: of OpenMetrics, or of Prometheus, which names a counter and an info by their samples.
 *
 * https://prometheus.io/docs/specs/om/open_metrics_spec/, https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function expose(families: readonly Family[], isOpenMetrics: boolean): string {
  const lines = families.flatMap((family) => linesOf(family, isOpenMetrics));
  return [...lines, ...(isOpenMetrics ? ['# EOF'] : []), ''].join('\n');
}

const added = { counter: '_total', info: '_info', gauge: '', histogram: '' } as const;

function linesOf({ name, type, help, unit, samples }: Family, isOpenMetrics: boolean): readonly string[] {
  const full = name + added[type];
  const family = isOpenMetrics ? name : full;
  const shownType = type === 'info' && !isOpenMetrics ? 'gauge' : type;
  return [
    `# HELP ${family} ${help}`,
    `# TYPE ${family} ${shownType}`,
    ...(isOpenMetrics && unit !== undefined ? [`# UNIT ${family} ${unit}`] : []),
    ...samples.map(({ labels, value, suffix = '' }) => `${full}${suffix}${labelText(labels)} ${value}`),
  ];
}

function labelText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** A value may be any text: names of models are other people's. */
const escaped = (value: string): string =>
  value.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
