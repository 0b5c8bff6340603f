import type { Entry } from '@serin/core/ports/journal';

/** What the server did since it started. */
export interface Metrics {
  appended(entry: Entry): void;
  fault(): void;
  /** In OpenMetrics text, or in that of Prometheus, which names a counter by its sample. */
  text(isOpenMetrics: boolean): string;
}

export function serverMetrics(): Metrics {
  const entries = new Map<string, number>();
  const events = new Map<string, number>();
  let faults = 0;
  const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const counter = (isOpenMetrics: boolean, name: string, help: string, samples: readonly string[]) => {
    const family = isOpenMetrics ? name : `${name}_total`;
    return [`# TYPE ${family} counter`, `# HELP ${family} ${help}`, ...samples.map((text) => `${name}_total${text}`)];
  };
  const labelled = (label: string, counts: ReadonlyMap<string, number>) =>
    [...counts].sort().map(([value, total]) => `{${label}="${value}"} ${total}`);
  return {
    appended({ signal, events: published }) {
      // Types are the core's own words: a closed set, safe as label values.
      count(entries, (signal as { readonly type: string }).type);
      for (const { type } of published) count(events, type);
    },
    fault() {
      faults += 1;
    },
    text: (isOpenMetrics) =>
      [
        ...counter(isOpenMetrics, 'serin_entries', 'Journal entries by signal.', labelled('signal', entries)),
        ...counter(isOpenMetrics, 'serin_events', 'CloudEvents by type.', labelled('type', events)),
        ...counter(isOpenMetrics, 'serin_faults', 'Things that went wrong and are tried again.', [` ${faults}`]),
        '# TYPE serin_resident_memory_bytes gauge',
        '# HELP serin_resident_memory_bytes Memory of the server that is in RAM.',
        ...(isOpenMetrics ? ['# UNIT serin_resident_memory_bytes bytes'] : []),
        `serin_resident_memory_bytes ${process.memoryUsage.rss()}`,
        ...(isOpenMetrics ? ['# EOF'] : []),
        '',
      ].join('\n'),
  };
}
