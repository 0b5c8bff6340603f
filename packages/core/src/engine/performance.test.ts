import { describe, expect, test } from 'vitest';
import { noLosses, withLoss, withWindow } from '../drift/losses.ts';
import { noOutcomes } from '../drift/outcomes.ts';
import type { Ports } from '../ports/ports.ts';
import type { LabelTick } from '../ports/telemetry.ts';
import { countLabels } from './performance.ts';

const row = (deployment: string, requests: number, labelled: number, wrong: number, weight = 100) => ({
  ...{ deployment, weight, requests, labelled, wrong },
});
const tick = (start: number, rows: LabelTick['rows'], losses: LabelTick['losses'] = []): LabelTick => ({
  ...{ start, rows, losses, pairs: {} },
});
const portsOf = (ticks: readonly LabelTick[]) =>
  ({ labels: { labels: async () => ticks } }) as unknown as Pick<Ports, 'labels'>;

const order = {
  ...{ kind: 'countLabels' as const, endpoint: 'fraud', deployment: 'v1', from: 10, to: 40, tickMs: 10, maturityMs: 5 },
  ...{ outcomes: noOutcomes, bets: { limit: 0.1, evidence: withWindow(noLosses) } },
} as const;

describe('labels of a deployment', () => {
  test('are added up whatever its weight was, and those of others are left out', async () => {
    const ticks = [
      tick(10, [row('v1', 50, 40, 4), row('v2', 50, 50, 50, 10)]),
      tick(20, [row('v1', 10, 9, 1), row('v1', 20, 10, 0, 90)], [{ deployment: 'v1', weight: 90, loss: 0.5 }]),
    ];
    const counted = await countLabels(order, portsOf(ticks));

    const wrong = withLoss(withLoss(withWindow(noLosses), 1, 0.1, 5), 0, 0.1, 54);
    expect(counted).toMatchObject({ readTo: 30, outcomes: { predictions: 80, labels: 60, lost: 5.5, losses: 1 } });
    for (const [at, log] of withLoss(wrong, 0.5, 0.1).logs.entries())
      expect(counted.evidence?.logs[at]).toBeCloseTo(log, 10);
  });

  test('count once, however often they are told, and from where the last part ended', async () => {
    const told = tick(10, [row('v1', 10, 10, 3)]);
    const once = await countLabels(order, portsOf([told]));

    expect(await countLabels(order, portsOf([told, told]))).toEqual(once);
    expect(await countLabels({ ...order, from: 20 }, portsOf([told, tick(20, [])]))).toMatchObject({
      ...{ readTo: 30, outcomes: noOutcomes },
    });
  });

  test('make no bet where none is asked for', async () => {
    const { bets: _, ...only } = order;
    const counted = await countLabels(only, portsOf([tick(10, [row('v1', 10, 10, 3)])]));

    expect(counted).toEqual({ readTo: 20, outcomes: { predictions: 10, labels: 10, lost: 3, losses: 0 } });
  });

  test('say what they say of a class or of numbers, and are asked for by the rule of the order', async () => {
    const classes = { truePositives: 1, falsePositives: 2, falseNegatives: 3, trueNegatives: 4 };
    const errors = { numbers: 1, unknown: 1, absolute: 3, squares: 9, fourths: 81 };
    const ticks = [
      tick(10, [
        { ...row('v1', 10, 10, 5), classes },
        { ...row('v2', 10, 10, 5), classes },
      ]),
      tick(20, [{ ...row('v1', 10, 10, 5, 50), classes }]),
      tick(
        30,
        [{ ...row('v1', 2, 0, 0), errors }],
        [0.5, 1].map((loss) => ({ deployment: 'v1', loss })),
      ),
    ];
    const asked: unknown[] = [];
    const labels = async (query: object) => {
      asked.push(query);
      return ticks;
    };
    const truths = { positive: 'fraud' };
    const counted = await countLabels({ ...order, truths }, { labels: { labels } } as never); // the one call that is made

    expect(asked).toMatchObject([{ endpoint: 'fraud', truths }]);
    expect(counted.outcomes).toEqual({
      ...{ predictions: 22, labels: 22, lost: 11.5, losses: 2, errors },
      classes: { truePositives: 2, falsePositives: 4, falseNegatives: 6, trueNegatives: 8 },
    });
  });

  test('that have not matured are asked for again, and impossible ones are refused', async () => {
    await expect(countLabels(order, portsOf([]))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(countLabels(order, portsOf([tick(10, [row('v1', 1, 2, 0)])]))).rejects.toMatchObject({
      code: 'invalid',
    });
  });
});
