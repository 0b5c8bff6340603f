import { expect, test } from 'vitest';
import { serverMetrics } from './metrics.ts';

test.each([
  [true, 'serin_entries', /# EOF\n$/],
  [false, 'serin_entries_total', /serin_resident_memory_bytes \d+\n$/],
])(
  'each family has its type and its help under the name that its format wants (OpenMetrics: %s)',
  (isOpen, entries, end) => {
    const metrics = serverMetrics();
    const entry = { signal: { type: 'dataHinted' }, events: [] };
    metrics.appended(entry as unknown as Parameters<typeof metrics.appended>[0]);
    metrics.fault();

    const text = metrics.text(isOpen);

    expect(text).toContain(`# TYPE ${entries} counter\n# HELP ${entries} `);
    expect(text).toContain('serin_entries_total{signal="dataHinted"} 1\n');
    expect(text).toContain('serin_faults_total 1\n');
    expect(text).toMatch(end);
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect([...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name)).toEqual(names);
  },
);
