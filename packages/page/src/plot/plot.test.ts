import { minute } from '@serin/core/base/time';
import { describe, expect, test } from 'vitest';
import { drawPlot } from './draw.ts';
import { figure } from './figure.ts';
import { readout } from './readout.ts';
import type { Layer, SpansPlot, StripPlot, XyPlot } from './spec.ts';
import { linearTicks, logTicks, oddsTicks, stepOf, timeTicks } from './ticks.ts';

const start = Date.UTC(2026, 0, 1, 12);
const hourLong = { kind: 'time', from: start, to: start + 60 * minute } as const;
const plotOf = (layers: readonly Layer[], more: Partial<XyPlot> = {}): XyPlot => ({
  ...{ kind: 'xy', id: 'p', title: 'Requests', description: 'told', height: 200 },
  x: hourLong,
  y: { label: 'requests', kind: 'linear', format: 'count', from: 0 },
  layers,
  ...more,
});
const line = (points: Extract<Layer, { kind: 'line' }>['points'], more = {}): Layer => ({
  ...{ kind: 'line', name: 'v1', tone: 'champion', points },
  ...more,
});
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
const xs = (svg: string) => [...svg.matchAll(/<text x="([\d.]+)"/g)].map(([, x]) => Number(x));
const textsOf = (ticks: readonly { readonly text: string }[]) => ticks.map(({ text }) => text);

describe('the marks of an axis', () => {
  test.each([
    [10, 5, 2],
    [7, 5, 2],
    [23, 5, 5],
    [0.3, 5, 0.1],
    [1, 1, 1],
  ])('a span of %d in at most %d steps goes by %d', (span, most, step) => {
    expect(stepOf(span, most)).toBeCloseTo(step, 12);
  });

  test('are round and hold all values', () => {
    expect(textsOf(linearTicks(0, 0.37, 4, 'number'))).toEqual(['0', '0.1', '0.2', '0.3', '0.4']);
    expect(textsOf(linearTicks(0, 1, 6, 'count'))).toEqual(['0', '1']);
    expect(textsOf(linearTicks(-3, 12, 4, 'number'))).toEqual(['-5', '0', '5', '10', '15']);
    expect(textsOf(linearTicks(0, 1_234_567, 3, 'count'))).toEqual(['0', '500,000', '1,000,000', '1,500,000']);
  });

  test('of values that are all the same still span something', () => {
    const ticks = linearTicks(0.8, 0.8, 4, 'number');

    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks[0]?.at).toBeLessThanOrEqual(0.8);
    expect(ticks.at(-1)?.at).toBeGreaterThanOrEqual(0.8);
  });

  test('of a ratio stand at powers of ten, and between them where there are few', () => {
    expect(textsOf(logTicks(0.001, 1000, 6, 'number'))).toEqual(['0.001', '0.01', '0.1', '1', '10', '100', '1000']);
    expect(textsOf(logTicks(0.6, 3, 6, 'ratio'))).toEqual(['0.5×', '1×', '2×', '5×']);
  });

  test('of evidence are odds, with even ones among them', () => {
    expect(textsOf(oddsTicks(Math.log(1 / 90), Math.log(150), 8))).toEqual([
      ...['1 to 100', '1 to 10', '1 to 1', '10 to 1', '100 to 1', '1,000 to 1'],
    ]);
    expect(textsOf(oddsTicks(-Math.log(1e6), Math.log(1e6), 4))).toContain('1 to 1');
  });

  test('of time are round in UTC, and say the day at midnight', () => {
    expect(textsOf(timeTicks(start, start + 60 * minute, 5))).toEqual(['12:00', '12:15', '12:30', '12:45', '13:00']);
    expect(textsOf(timeTicks(start + 1000, start + 21_000, 5))).toEqual([
      '12:00:05',
      '12:00:10',
      '12:00:15',
      '12:00:20',
    ]);
    expect(textsOf(timeTicks(start, start + 24 * 60 * minute, 3))).toEqual(['12:00', 'Jan 2', '12:00']);
  });
});

describe('a plot', () => {
  test('places the least value at the bottom, the greatest at the top, and time from left to right', () => {
    const svg = drawPlot(
      plotOf([
        line([
          [start, 0],
          [start + 60 * minute, 100],
        ]),
      ]),
      400,
    );

    const [, x0, y0, x1, y1] =
      /class="line champion" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"/.exec(svg)?.map(Number) ?? [];
    expect([y0, y1]).toEqual([178, 22]);
    expect(x0).toBeGreaterThan(20);
    expect(x1).toBe(388);
  });

  test('keeps its text inside at 320 pixels and at 1200', () => {
    for (const width of [320, 1200]) {
      const svg = drawPlot(
        plotOf([
          line([
            [start, 0],
            [start + minute, 1e6],
          ]),
        ]),
        width,
      );

      expect(svg).toContain(`width="${width}"`);
      expect(Math.max(...xs(svg))).toBeLessThanOrEqual(width);
      expect(Math.min(...xs(svg))).toBeGreaterThanOrEqual(0);
      for (const [, x, text = ''] of svg.matchAll(/<text x="([\d.]+)"[^>]*anchor="middle">([^<]*)/g)) {
        expect(Number(x) - text.length * 3).toBeGreaterThanOrEqual(0);
        expect(Number(x) + text.length * 3).toBeLessThanOrEqual(width);
      }
    }
  });

  test('has a gap where nothing is known', () => {
    const svg = drawPlot(
      plotOf([
        line([
          [start, 1],
          [start + minute, null],
          [start + 2 * minute, 3],
        ]),
      ]),
    );

    expect(/class="line champion" d="([^"]+)"/.exec(svg)?.[1]?.match(/M/g)).toHaveLength(2);
  });

  test('goes by steps where a value holds until the next', () => {
    const svg = drawPlot(
      plotOf([
        line(
          [
            [start, 10],
            [start + 30 * minute, 50],
          ],
          { steps: true },
        ),
      ]),
    );

    expect(/class="line champion" d="([^"]+)"/.exec(svg)?.[1]).toMatch(/^M[\d. ]+H[\d.]+V[\d.]+$/);
  });

  test('draws what lies beyond an axis that is cut at its edge', () => {
    const odds = {
      label: 'odds',
      kind: 'odds',
      format: 'odds',
      from: -Math.log(1000),
      to: Math.log(1000),
      cut: true,
    } as const;

    const svg = drawPlot(
      plotOf(
        [
          line([
            [start, -500],
            [start + minute, 500],
          ]),
        ],
        { y: odds, height: 300 },
      ),
    );

    expect(texts(svg).slice(1, 3)).toEqual(['1 to 1,000', '1 to 100']);
    expect(svg).toMatch(/class="line champion" d="M[\d.]+ 278L[\d.]+ 22"/);
  });

  test('leaves a band open at the side where nothing bounds it', () => {
    const band: Layer = {
      kind: 'band',
      name: 'ratio',
      tone: 'accent',
      points: [
        [start, 5, null],
        [start + minute, 5, 8],
      ],
    };

    const svg = drawPlot(plotOf([band]));

    expect(/class="band accent" d="M[\d.]+ ([\d.]+)/.exec(svg)?.[1]).toBe('22');
  });

  test('sets labels of thresholds apart that are close together', () => {
    const thresholds = [100, 99].map((y): Layer => ({ kind: 'threshold', name: `at ${y}`, tone: 'bad', y }));

    const svg = drawPlot(plotOf(thresholds));

    const [a = 0, b = 0] = [...svg.matchAll(/class="label bad" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => Number(y));
    expect(Math.abs(a - b)).toBeGreaterThanOrEqual(14);
  });

  test('names each version that there is room for', () => {
    const names = Array.from({ length: 40 }, (_, index) => `v${index + 1}`);
    const plot = plotOf([line(names.map((_, index) => [index, index]))], { x: { kind: 'names', names } });

    const shown = (width: number) => texts(drawPlot(plot, width)).filter((text) => /^v\d/.test(text ?? '')).length;

    expect(shown(320)).toBeGreaterThan(4);
    expect(shown(320)).toBeLessThan(14);
    expect(shown(2000)).toBe(40);
  });

  test('of a ratio takes no notice of what is not above zero', () => {
    const ratio = { label: 'ratio', kind: 'log', format: 'ratio' } as const;

    const svg = drawPlot(
      plotOf(
        [
          line([
            [start, 0],
            [start + minute, 5],
          ]),
        ],
        { y: ratio },
      ),
    );

    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(texts(svg).slice(1, 3)).toEqual(['5×', '10×']);
  });

  test('of nothing has an axis and no line', () => {
    expect(() => drawPlot(plotOf([]))).not.toThrow();
    expect(drawPlot(plotOf([line([])], { y: { label: 'ratio', kind: 'log', format: 'ratio' } }))).toContain('<svg');
  });

  test('escapes whatever it is given', () => {
    const hostile = `</svg><script>alert(1)</script>"'&`;
    const spans: SpansPlot = {
      ...{ kind: 'spans', id: hostile, title: hostile, description: hostile, from: start, to: start + minute },
      rows: [{ name: hostile, spans: [{ from: start, to: start + minute, text: hostile, tone: 'good' }] }],
    };
    const xy = plotOf([{ kind: 'threshold', name: hostile, tone: 'bad', y: 1 }], {
      ...{ id: hostile, title: hostile, description: hostile },
      x: { kind: 'names', names: [hostile] },
      y: { label: hostile, kind: 'linear', format: 'count' },
    });

    const strip: StripPlot = {
      ...{ kind: 'strip', id: hostile, title: hostile, description: hostile, x: hourLong, zoned: hostile },
      zones: [{ from: start, to: start + 60 * minute, text: hostile }],
      rows: [{ name: hostile, height: 100, y: xy.y, layers: [line([]), line([], { name: hostile })] }],
    };

    for (const svg of [spans, xy, strip].flatMap((plot) => [drawPlot(plot), String(figure(plot))]))
      expect(svg.replaceAll('data-plot', '')).not.toMatch(/<script|alert\(1\)<\/script|"(?:'|&#39;)/);
  });
});

describe('what a plot shows at a place', () => {
  const points = [
    [start, 10],
    [start + 30 * minute, 20],
    [start + 60 * minute, null],
  ] as const;

  test('is the value that held there', () => {
    const plot = plotOf([line(points), { kind: 'threshold', name: 'gate', tone: 'bad', y: 1 }]);

    expect(readout(plot, 0.25)).toBe('2026-01-01 12:15:00 UTC · v1 10');
    expect(readout(plot, 0.75)).toBe('2026-01-01 12:45:00 UTC · v1 20');
    expect(readout(plot, 2)).toBe('2026-01-01 13:00:00 UTC');
  });

  test('is the value of that version, or of that step', () => {
    const named = plotOf([line([[0, 1]])], { x: { kind: 'names', names: ['v1', 'v2'] } });
    const counted = plotOf(
      [
        line([
          [0, 1],
          [10, 5],
        ]),
      ],
      { x: { kind: 'count', from: 0, to: 20 } },
    );

    expect([readout(named, 0.1), readout(named, 0.9)]).toEqual(['v1 · v1 1', 'v2']);
    expect(readout(counted, 0.51)).toBe('10 · v1 5');
  });
});

describe('spans', () => {
  const plot: SpansPlot = {
    ...{ kind: 'spans', id: 's', title: 'What served', description: 'told', from: start, to: start + 100_000 },
    rows: [
      {
        name: 'champion',
        spans: [
          { from: start, to: start + 50_000, text: 'v1', tone: 'c0' },
          { from: start + 50_000, to: start + 200_000, text: 'v2', tone: 'c1' },
        ],
      },
    ],
  };

  test('stand beside each other in the proportion of their times, and end where the plot ends', () => {
    const svg = drawPlot(plot, 600);

    const [a, b] = [...svg.matchAll(/class="bar c\d" x="([\d.]+)" y="7" width="([\d.]+)"/g)].map(([, x, width]) => [
      Number(x),
      Number(width),
    ]);
    expect(a?.[1]).toBeCloseTo(b?.[1] ?? 0, 0);
    expect((b?.[0] ?? 0) + (b?.[1] ?? 0)).toBeCloseTo(592, 0);
  });

  test('too short for their text keep it for a pointer', () => {
    const short = { ...plot, to: start + 5_000_000 };

    const svg = drawPlot(short, 300);

    expect(svg).toContain('<title>v1</title>');
    expect(texts(svg)).not.toContain('v1');
  });
});

describe('a strip', () => {
  const strip: StripPlot = {
    ...{ kind: 'strip', id: 'strip', title: 'Evidence', description: 'told', x: hourLong, zoned: 'traffic' },
    zones: [
      { from: start, to: start + 30 * minute, text: '5 %' },
      { from: start + 30 * minute, to: start + 59 * minute, text: '25 %' },
      { from: start + 59 * minute, to: start + 60 * minute, text: '50 %' },
    ],
    rows: [
      {
        ...{ height: 120, y: { label: 'odds', kind: 'odds', format: 'odds' } },
        layers: [
          line([[start, 0]], { name: 'harm' }),
          line([[start + 45 * minute, 3]], { name: 'safety' }),
          { kind: 'threshold', name: 'promoted', tone: 'good', y: 3, from: start + 30 * minute },
        ],
      },
      {
        ...{ name: 'ratio', height: 100, y: { label: 'times', kind: 'log', format: 'ratio' } },
        layers: [{ kind: 'band', name: 'errors', tone: 'accent', points: [[start, 0.5, 2]] }],
      },
    ],
  };
  const svg = drawPlot(strip, 600);

  test('has one lower axis for all of its rows, one below the other', () => {
    expect(texts(svg).filter((text) => text === '12:30')).toHaveLength(1);
    const [odds = 0, times = 0, axis = 0] = ['>odds<', '>times<', '>12:30<'].map((text) =>
      Number(/y="(\d+)"[^>]*$/.exec(svg.slice(0, svg.indexOf(text)))?.[1]),
    );
    expect(odds).toBeLessThan(times);
    expect(times).toBeLessThan(axis);
  });

  test('names its zones where there is room, and shades every other one over all rows', () => {
    expect(texts(svg).slice(0, 3)).toEqual(['traffic', '5 %', '25 %']);
    expect(svg).toContain('<title>50 %</title>');
    expect(svg.match(/class="zone"/g)).toHaveLength(1);
    expect(Number(/class="zone"[^>]*height="(\d+)"/.exec(svg)?.[1])).toBeGreaterThan(200);
  });

  test('has its lines named beside the unit, where there are several', () => {
    expect(svg).toMatch(/>odds<tspan class="champion" dx="10">harm<\/tspan><tspan [^>]*>safety<\/tspan>/);
    expect(svg).not.toContain('>errors<');
    expect(String(figure(strip))).not.toContain('class="legend"');
  });

  test('has a threshold only from where it counts', () => {
    const from = Number(/class="threshold good" d="M([\d.]+) /.exec(svg)?.[1]);
    const [, left = 0, right = 0] = (/data-left="([\d.]+)" data-right="([\d.]+)"/.exec(svg) ?? []).map(Number);

    expect(from).toBeCloseTo((left + right) / 2, 0);
  });

  test('is read at a place over all of its rows, and has a table for each', () => {
    expect(readout(strip, 0.8)).toBe(
      '2026-01-01 12:48:00 UTC · harm 1 to 1 · safety 20 to 1 · ratio errors 0.5× to 2×',
    );
    expect(String(figure(strip)).match(/<table>/g)).toHaveLength(2);
  });
});

test('a figure holds its numbers as a table, thinned where there are many', () => {
  const points = Array.from({ length: 100 }, (_, index) => [start + index * minute, index] as const);

  const page = String(figure(plotOf([line(points)])));

  expect(page.match(/<tr>/g)?.length).toBeLessThan(50);
  expect(page).toContain('one row in 3 of 100');
  expect(page).toContain('2026-01-01 13:39:00');
  expect(page).toContain('<svg role="img" aria-labelledby="p-title p-told"');
});
