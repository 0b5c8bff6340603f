import { expect, test } from 'vitest';
import { type Chart, dots } from './plot.ts';

const chart: Chart = {
  title: 'Requests & minutes',
  note: ['less is <better>'],
  panels: [
    { title: 'x2', marks: [1, 10, 100].map((value) => ({ value, text: `${value}` })), bound: 10 },
    { title: 'x3', marks: [1, 10, 100].map((value) => ({ value, text: `${value}` })) },
  ],
  rows: [
    { name: 'ours', look: 'ours', points: [{ value: 10, low: 5, high: 20 }, undefined] },
    { name: 'theirs', points: [{ value: 0 }, { value: 1000 }] },
  ],
};

const circles = (svg: string) =>
  [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);

test('a dot stands where its row and its panel meet, on the bound if it has its value, and a gap has none', () => {
  const svg = dots(chart);
  const [ours, none, most] = circles(svg);

  expect(circles(svg)).toHaveLength(3);
  expect(ours?.[1]).toBeLessThan(none?.[1] ?? 0);
  expect(svg).toContain(`M${ours?.[0]?.toFixed(1)},`);
  expect(most?.[0]).toBeGreaterThan(ours?.[0] ?? 0);
  expect(svg.match(/class="bound"/g)).toHaveLength(1);
});

test('what lies beyond the axis is drawn at its edge', () => {
  const [ours, none, most] = circles(dots(chart));

  expect(none?.[0]).toBeLessThan(ours?.[0] ?? 0);
  expect(most?.[0]).toBeLessThanOrEqual(980);
});

test('words are escaped', () => {
  const svg = dots(chart);

  expect(svg).toContain('Requests &amp; minutes');
  expect(svg).toContain('less is &lt;better&gt;');
});
