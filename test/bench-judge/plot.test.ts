import { expect, test } from 'vitest';
import { lines, ranges } from './plot.ts';

const chart = {
  title: 'Requests <b>',
  note: ['one line'],
  categories: ['x2', 'x3'],
  series: [
    { name: 'ours', values: [10, 5], look: 'ours' as const },
    { name: 'a & b', values: [100, undefined], look: 'unsafe' as const },
  ],
  marks: [
    { value: 1, text: '1' },
    { value: 100, text: '100' },
  ],
};

test('a plot escapes its texts, draws a point for each value and follows the colours of the reader', () => {
  const drawn = lines(chart);

  expect(drawn).toContain('Requests &lt;b&gt;');
  expect(drawn).toContain('a &amp; b');
  expect(drawn.match(/<circle/g)).toHaveLength(3);
  expect(drawn).toContain('prefers-color-scheme: dark');
});

test('a value lies on its mark, and none below the lowest', () => {
  const drawn = lines({ ...chart, series: [{ name: 'low', values: [1, 0] }] });

  const heights = [...drawn.matchAll(/<circle [^>]*cy="([\d.]+)"/g)].map(([, y]) => y);
  expect(heights).toEqual(['376.0', '376.0']);
});

test('a range shows its limits and the bound', () => {
  const drawn = ranges('Shares', ['note'], [{ name: 'N1', value: 0.005, low: 0.004, high: 0.02 }], 0.01, 0.0125);

  expect(drawn).toContain('class="bound"');
  expect(drawn).toContain('H820.0');
});
