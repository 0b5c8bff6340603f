import { describe, expect, test } from 'vitest';
import { type Criteria, gateText, judgeGate, type Scores } from './gate.ts';

const of = (value: number | undefined, unread?: Scores['unread']): Scores => ({
  metrics: value === undefined ? {} : { m: value },
  unread,
});
const judge = (rule: Criteria[string], challenger: number | undefined, champion?: number | 'unmeasured') =>
  judgeGate(
    { m: rule },
    of(challenger),
    champion === undefined ? undefined : { version: 1, ...of(champion === 'unmeasured' ? undefined : champion) },
  );

describe('the gate', () => {
  test.each<[Criteria[string], number | undefined, number | 'unmeasured' | undefined, boolean]>([
    [{ direction: 'up', atLeast: 0.8 }, 0.81, undefined, true],
    [{ direction: 'up', atLeast: 0.8 }, 0.8, undefined, true],
    [{ direction: 'up', atLeast: 0.8 }, 0.7999, undefined, false],
    [{ direction: 'up', atLeast: 0.8 }, undefined, undefined, false],
    [{ direction: 'up', atLeast: 0.8 }, 0.1 + 0.2 + 0.5 - 1e-16, undefined, true],
    [{ direction: 'down', atMost: 4 }, 3, undefined, true],
    [{ direction: 'down', atMost: 4 }, 4, undefined, true],
    [{ direction: 'down', atMost: 4 }, 4.01, undefined, false],
    [{ direction: 'down', atMost: 4 }, undefined, undefined, false],
    [{ direction: 'down', atMost: 0 }, 0, undefined, true],
    [{ direction: 'up', atLeast: -3 }, -3, undefined, true],
    [{ direction: 'up', atLeast: -3 }, -3.01, undefined, false],
    [{ direction: 'up', noWorseBy: 0.01 }, 0.9, 0.91, true],
    [{ direction: 'up', noWorseBy: 0.01 }, 0.9, 0.9101, false],
    [{ direction: 'up', noWorseBy: 0.01 }, 0.99, 0.9, true],
    [{ direction: 'up', noWorseBy: 0 }, 0.9, 0.9, true],
    [{ direction: 'up', noWorseBy: 0 }, 0.8999, 0.9, false],
    [{ direction: 'up', noWorseBy: 0.01 }, 1_000_000.1 - 0.01, 1_000_000.1, true],
    [{ direction: 'down', noWorseBy: 0.1 }, 0.4, 0.3, true],
    [{ direction: 'down', noWorseBy: 0.1 }, 0.41, 0.3, false],
    [{ direction: 'down', noWorseBy: 0.1 }, 0.1, 0.3, true],
    [{ direction: 'up', noWorseBy: 0.01 }, 0.9, 'unmeasured', false],
    [{ direction: 'up', noWorseBy: 0.01 }, undefined, 0.9, false],
    [{ direction: 'up', noWorseBy: 0.01 }, 0.1, undefined, true],
    [{ direction: 'up', noWorseBy: 0.01 }, undefined, undefined, false],
    [{ direction: 'up', atLeast: 0.5, noWorseBy: 0.01 }, 0.6, 0.9, false],
  ])('%j: %s against %s of the champion passes: %s', (rule, challenger, champion, passed) => {
    expect(judge(rule, challenger, champion).passed).toBe(passed);
  });

  test('one criterion that fails is enough, and a metric that no criterion names is never asked for', () => {
    const criteria: Criteria = { auc: { direction: 'up', atLeast: 0.8 }, loss: { direction: 'down', atMost: 1 } };
    const unread = { f1: 'it is null in metrics.json' };

    expect(judgeGate(criteria, { metrics: { auc: 0.9, loss: 1 }, unread }).passed).toBe(true);
    expect(judgeGate(criteria, { metrics: { auc: 0.9, loss: 2 } }).passed).toBe(false);
    expect(judgeGate(criteria, { metrics: { auc: 0.9 } }).passed).toBe(false);
  });
});

describe('a verdict in words', () => {
  test.each([
    [
      judge({ direction: 'up', noWorseBy: 0.01 }, 0.9, 0.91),
      'passed: m 0.9 against 0.91 of the champion v1, within 0.01',
    ],
    [
      judge({ direction: 'up', noWorseBy: 0.01 }, 0.8999999, 0.91),
      'refused: m 0.8999999 against 0.91 of the champion v1, not within 0.01',
    ],
    [judge({ direction: 'down', atMost: 1 }, 1.0000001), 'refused: m 1.0000001, at most 1 wanted'],
    [judge({ direction: 'down', atMost: 0.04 }, 0.0458999250425722), 'refused: m 0.0458999, at most 0.04 wanted'],
    [judge({ direction: 'up', atLeast: 1 }, undefined), 'refused: m was not measured'],
    [
      judge({ direction: 'up', noWorseBy: 0.01 }, 0.9, 'unmeasured'),
      'refused: m 0.9, and of the champion v1 it was not measured',
    ],
    [
      judgeGate({ m: { direction: 'up', atLeast: 1 } }, of(undefined, { m: 'it is NaN in metrics.json' })),
      'refused: m was not measured (it is NaN in metrics.json)',
    ],
    [
      judgeGate({ m: { direction: 'up', atLeast: 1 } }, of(undefined, { 'metrics.json': 'it is not JSON' })),
      'refused: m was not measured (metrics.json: it is not JSON)',
    ],
  ])('%o', (verdict, text) => {
    expect(gateText(verdict)).toBe(text);
  });
});
