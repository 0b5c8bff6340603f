import { expect, test } from 'vitest';
import { compareScreen, type Side } from './compare.ts';

const terminal = { width: 100, paint: (_: string, text: string) => text };
const side = (number: number, loss: number): Side => ({
  version: {
    model: 'fraud',
    number,
    scores: { one: { loss, other: 3 } },
    dataset: 'd'.repeat(64),
    lineage: { code: String(number).repeat(64), hyperparameters: `{"epochs":"${number}"}` },
  },
});

test('where less is better, less is called better, and a metric that no gate knows is called nothing', () => {
  const text = compareScreen(
    { versions: [side(5, 0.3), side(2, 0.4)], gate: { loss: { direction: 'down' } } },
    terminal,
  );

  expect(text).toMatch(/METRIC +V5 +V2 +DIFFERENCE +V5 IS\n/);
  expect(text).toMatch(/loss +0\.3 +0\.4 +-0\.1 +better/);
  expect(text).toMatch(/other +3 +3 +equal\n/);
  expect(text).toContain('on the same hold-out');
});

test('what both were made from stands once, and what differs for each', () => {
  const text = compareScreen({ versions: [side(5, 0.3), side(2, 0.4)] }, terminal);

  expect(text).toMatch(/dataset +same +dddddddddddd\n/);
  expect(text).toMatch(/code +555555555555 +222222222222\n/);
  expect(text).toMatch(/epochs +5 +2\n/);
});
