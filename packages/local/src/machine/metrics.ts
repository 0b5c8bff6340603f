import type { Entry } from '@serin/core/ports';

/** What the server did since it started, in OpenMetrics text. */
export interface Metrics {
  appended(entry: Entry): void;
  fault(): void;
  text(): string;
}

export function serverMetrics(): Metrics {
  const entries = new Map<string, number>();
  const events = new Map<string, number>();
  let faults = 0;
  const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const family = (name: string, help: string, label: string, counts: ReadonlyMap<string, number>) => [
    `# TYPE ${name} counter`,
    `# HELP ${name} ${help}`,
    ...[...counts].sort().map(([value, total]) => `${name}_total{${label}="${value}"} ${total}`),
  ];
  return {
    appended({ signal, events: told }) {
      // Types are the core's own words: a closed set, safe as label values.
      count(entries, (signal as { readonly type: string }).type);
      for (const { type } of told) count(events, type);
    },
    fault() {
      faults += 1;
    },
    text: () =>
      [
        ...family('serin_entries', 'Journal entries by signal.', 'signal', entries),
        ...family('serin_events', 'CloudEvents by type.', 'type', events),
        '# TYPE serin_faults counter',
        '# HELP serin_faults Things that went wrong and are tried again.',
        `serin_faults_total ${faults}`,
        '# TYPE serin_resident_memory_bytes gauge',
        '# UNIT serin_resident_memory_bytes bytes',
        `serin_resident_memory_bytes ${process.memoryUsage.rss()}`,
        '# EOF',
        '',
      ].join('\n'),
  };
}
