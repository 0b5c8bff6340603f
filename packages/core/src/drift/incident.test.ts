import { describe, expect, test } from 'vitest';
import { follow, type Incident } from './incident.ts';
import type { Cause, ColumnVerdict, Level, Verdict } from './verdict.ts';

const quiet = { kind: 'number' as const, rows: 100, missingChange: 0, unseenChange: 0, size: 0.01, evidence: 0.2 };
const column = (name: string, more: Partial<ColumnVerdict> = {}): ColumnVerdict => ({
  name,
  cause: 'data',
  ...quiet,
  ...more,
});
const drifts = (name: string, alarm: Level, size: number, evidence: number, cause: Cause = 'data') =>
  column(name, { cause, alarm, size, evidence });
const window = (index: number) => ({ start: index * 10, end: index * 10 + 10 });

/** Follows verdicts, one a window. */
const followed = (cause: Cause, ...windows: readonly (readonly ColumnVerdict[])[]): Incident | undefined =>
  windows
    .map((columns, index): Verdict => verdict(index, columns))
    .reduce<Incident | undefined>((incident, verdict) => follow(cause, incident, verdict), undefined);

const verdict = (index: number, columns: readonly ColumnVerdict[]): Verdict => ({
  version: 1,
  window: window(index),
  rows: 100,
  evidence: 0,
  threshold: 365,
  columns,
  alarms: { major: [], notice: [] },
  clean: true,
  calibrated: true,
});

describe('an incident', () => {
  test('opens with the first column past both gates, and none without one', () => {
    expect(followed('data', [column('x')])).toBeUndefined();
    expect(followed('data', [column('x'), drifts('y', 'notice', 0.05, 9000)])).toEqual({
      cause: 'data',
      level: 'notice',
      first: window(0),
      last: window(0),
      columns: { y: { since: window(0), size: 0.05, evidence: 9000 } },
      cleanWindows: 0,
    });
  });

  test('keeps each column with its first window, its largest size and evidence, and the worst level', () => {
    const incident = followed(
      'data',
      [drifts('x', 'notice', 0.05, 9000), column('y')],
      [drifts('x', 'major', 0.2, 3), drifts('y', 'notice', 0.04, 800)],
      [drifts('x', 'notice', 0.06, 4), column('y')],
    );

    expect(incident).toMatchObject({ level: 'major', first: window(0), last: window(2) });
    expect(incident?.columns).toEqual({
      x: { since: window(0), size: 0.2, evidence: 9000 },
      y: { since: window(1), size: 0.04, evidence: 800 },
    });
  });

  test('resolves after three clean windows in a row', () => {
    const [alarm, clean] = [[drifts('x', 'notice', 0.05, 9000)], [column('x')]];

    expect(followed('data', alarm, clean, clean)?.cleanWindows).toBe(2);
    expect(followed('data', alarm, clean, clean, alarm)?.cleanWindows).toBe(0);
    expect(followed('data', alarm, clean, clean, alarm, clean, clean)?.cleanWindows).toBe(2);
    expect(followed('data', alarm, clean, clean, clean)).toBeUndefined();
  });

  test('does not count a window in which its column has no row', () => {
    const [alarm, clean] = [[drifts('x', 'notice', 0.05, 9000)], [column('x')]];
    const silent = [column('x', { rows: 0 }), column('y')];

    expect(followed('data', alarm, clean, silent, clean)?.cleanWindows).toBe(2);
    expect(followed('data', alarm, clean, silent, clean, clean)).toBeUndefined();
    expect(followed('data', alarm, [column('x'), column('y', { rows: 0 })])?.cleanWindows).toBe(1);
  });

  test('is one per cause', () => {
    const both = [drifts('x', 'notice', 0.05, 9000), drifts('score', 'major', 0.3, 800, 'prediction')];

    expect(Object.keys(followed('data', both)?.columns ?? {})).toEqual(['x']);
    expect(Object.keys(followed('prediction', both)?.columns ?? {})).toEqual(['score']);
    expect(followed('prediction', both)?.level).toBe('major');
  });

  test('is the same after the same verdict, and after an older one', () => {
    const incident = followed('data', [column('x')], [drifts('x', 'notice', 0.05, 9000)], [column('x')]);

    expect(follow('data', incident, verdict(2, [column('x')]))).toBe(incident);
    expect(follow('data', incident, verdict(1, [drifts('x', 'major', 0.5, 9000)]))).toBe(incident);
  });

  test('takes any name of a column', () => {
    const incident = followed(
      'data',
      [drifts('__proto__', 'notice', 0.05, 9000), column('toString', { rows: 0 })],
      [column('toString', { rows: 0 })],
    );

    expect(Object.keys(incident?.columns ?? {})).toEqual(['__proto__']);
    expect(incident?.cleanWindows).toBe(1);
  });
});
