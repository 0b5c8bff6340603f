import { expect, test } from 'vitest';
import { random } from './random.ts';
import { fill, newStream, ramp } from './stream.ts';
import { crossed, limitFor, rolledBackAt, shapes, statisticsOf } from './tuned.ts';

test('a limit is crossed exactly by the runs that the shape would roll back', () => {
  const stream = newStream(ramp);
  fill(stream, random(3), { rpm: 600, share: 0.02 });
  const statistics = statisticsOf(stream);

  for (const shape of shapes) {
    const values = statistics(shape);
    const limit = crossed(values, shape);

    expect(rolledBackAt(values, shape, limit)).toBeUndefined();
    expect(rolledBackAt(values, shape, limit * 0.999999)).toBeDefined();
  }
});

test('a tuned limit lets the wanted share of the runs cross it, and no more', () => {
  const highest = Array.from({ length: 200 }, (_, index) => index);

  const limit = limitFor(highest, 0.01);

  expect(highest.filter((value) => value > limit)).toHaveLength(2);
});

test('a window forgets what has left it, and all ticks forget nothing', () => {
  const stream = newStream([50, 50, 50]);
  stream.requests.candidate.set([100, 100, 100]);
  stream.requests.champion.set([100, 100, 100]);
  stream.errors.candidate.set([30, 0, 0]);
  stream.errors.champion.set([1, 1, 1]);
  const values = (window: 1 | 'all', kind: 'absolute' | 'relative') =>
    Array.from(statisticsOf(stream)({ name: '', kind, window, inRow: 1, after: 0 }));

  expect(values(1, 'absolute')).toEqual([0.3, 0, 0]);
  expect(values('all', 'absolute')).toEqual([0.3, 0.15, 0.1]);
  expect(values(1, 'relative')[0]).toBeCloseTo(0.3 / 0.015, 12);
});
