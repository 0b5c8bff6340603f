import { describe, expect, test } from 'vitest';
import { answerPending, leaseMs, type Pending, type PendingEffects, reconcile, retrySlowly } from './leases.ts';
import type { Effect } from './protocol.ts';

const at = 1_000_000;
const minute = 60_000;
const self = { self: 'me', dispatches: true, alone: false } as const;

const change = (falling: boolean): Effect => ({
  key: 'endpoint/change',
  kind: 'change',
  endpoint: 'fraud',
  operation: { kind: 'weigh', weights: { v1: 100 } },
  falling,
});
const stop: Effect = { key: 'run/stop', kind: 'stopJob', id: 'j' };
const held = (more: Partial<Pending> = {}): Pending => ({
  taken: 3,
  by: 'another',
  until: at + minute,
  failures: 0,
  ...more,
});

describe('an order that is owed', () => {
  test.each([
    ['is new', stop, undefined, self, true],
    ['is new, and nobody dispatches here', stop, undefined, { ...self, dispatches: false }, false],
    ['was left for the next', stop, { until: at, failures: 0 }, self, true],
    ['is held by another', stop, held(), self, false],
    ['is held by another whose lease has ended', stop, held({ until: at }), self, true],
    ['is held by another, and nobody else can be there', stop, held(), { ...self, alone: true }, true],
    ['is held by this very engine', stop, held({ by: 'me' }), { ...self, alone: true }, false],
    ['is put off until later', stop, { until: at + 1, failures: 2 }, self, false],
    ['is a weight that rises, held by another', change(false), held(), self, false],
    ['is a weight that falls, held by another', change(true), held(), self, true],
    ['is a weight that falls, held by this very engine', change(true), held({ by: 'me' }), self, false],
    ['is a weight that falls, and nobody dispatches here', change(true), held(), { ...self, dispatches: false }, false],
  ])('and %s: it is taken or not', (_, effect, pending, dispatcher, expected) => {
    const debts: PendingEffects = pending === undefined ? {} : { [effect.key]: pending };

    const { taken, debts: after } = reconcile(debts, [effect], at, 7, dispatcher);

    expect(taken).toEqual(expected ? [effect] : []);
    if (expected)
      expect(after[effect.key]).toEqual({ taken: 7, by: 'me', until: at + leaseMs, failures: pending?.failures ?? 0 });
    else expect(after[effect.key]).toEqual(pending ?? { until: at, failures: 0 });
  });

  test('no more is gone, and what is pending is the same object when nothing changed', () => {
    const debts: PendingEffects = { [stop.key]: held() };

    expect(reconcile(debts, [], at, 7, self).debts).toEqual({});
    expect(reconcile(debts, [stop], at, 7, self).debts).toBe(debts);
  });
});

describe('an answer', () => {
  const debts: PendingEffects = { [stop.key]: held() };
  const answer = { key: stop.key, taken: 3, at, type: 'jobStopAsked' };

  test.each([
    ['to another taking', { ...answer, taken: 2 }],
    ['to nothing that is owed', { ...answer, key: 'run/other' }],
  ])('%s is stale', (_, given) => {
    expect(answerPending(debts, given)).toEqual({ ignored: expect.stringContaining('late answer') });
  });

  test('ends its effect; a message that was delivered is sent again after ten minutes', () => {
    expect(answerPending(debts, answer)).toEqual({});
    expect(answerPending(debts, { ...answer, type: 'told' })).toEqual({
      [stop.key]: { until: at + 10 * minute, failures: 0 },
    });
  });

  test('of failure puts the effect off, twice as long each time, to a quarter of an hour at most', () => {
    const pauses = Array.from({ length: 13 }, (_, failures) => {
      const failed = answerPending(
        { [stop.key]: held({ failures }) },
        { ...answer, type: 'effectFailed', because: 'x' },
      );
      return ((failed as PendingEffects)[stop.key]?.until ?? 0) - at;
    });

    for (const [failures, pause] of pauses.entries()) {
      const mean = Math.min(15 * minute, 1000 * 2 ** (failures + 1));
      expect(pause).toBeGreaterThanOrEqual(mean * 0.75);
      expect(pause).toBeLessThanOrEqual(mean * 1.25);
    }
    expect(retrySlowly(stop.key, at, 'never').until - at).toBeGreaterThanOrEqual(15 * minute * 0.75);
  });
});

describe('a provider that asks to be left alone', () => {
  const failed = (retryAfterMs: number) =>
    answerPending(
      { k: held({ taken: 3, failures: 0 }) },
      { type: 'effectFailed', at, key: 'k', taken: 3, retryAfterMs },
    );
  const pauseOf = (retryAfterMs: number) => {
    const { k } = failed(retryAfterMs) as PendingEffects;
    return (k?.until ?? 0) - at;
  };

  test.each([
    ['for longer than we would wait', 20 * minute, 20 * minute],
    ['for ever', 1e12, 60 * minute],
    ['for less than we would wait', 1, pauseOf(0)],
  ])('%s', (_, asked, pause) => {
    expect(pauseOf(asked)).toBe(pause);
  });
});
