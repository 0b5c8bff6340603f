/** SVG by hand: readable on a light page and on a dark one, and without a dependency. */

export interface Series {
  readonly name: string;
  /** One for each category; `undefined` leaves a gap. */
  readonly values: readonly (number | undefined)[];
  /** Drawn thick: this judge. Drawn with gaps: a rule that is not safe. */
  readonly look?: 'ours' | 'unsafe';
}

export interface Chart {
  readonly title: string;
  /** Lines of it. */
  readonly note: readonly string[];
  readonly categories: readonly string[];
  readonly series: readonly Series[];
  /** `false`: the categories have no order, so points stand side by side without a line. */
  readonly joined?: boolean;
  /** Marks of the logarithmic axis, ascending. */
  readonly marks: readonly { readonly value: number; readonly text: string }[];
}

const colours = ['#2f81f7', '#e3742f', '#3fa45b', '#b65fd6', '#c9a227', '#e0527a', '#3aa6a6', '#8b8f98'] as const;
const style = `<style>
text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.note{fill:#57606a}
.grid{stroke:#8b949e;stroke-opacity:.35}.bound{stroke:#d1242f;stroke-width:1.5;stroke-dasharray:6 3}
@media (prefers-color-scheme: dark){text{fill:#e6edf3}.note{fill:#9aa4af}.bound{stroke:#ff7b72}}
</style>`;

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const text = (x: number, y: number, what: string, kind = '', anchor = 'start'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${kind}" text-anchor="${anchor}">${escaped(what)}</text>`;

const noteOf = (note: readonly string[]): readonly string[] =>
  note.map((line, index) => text(16, 43 + 16 * index, line, 'note'));

function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
${style}
${parts.join('\n')}
</svg>
`;
}

/** Lines over categories, on a logarithmic axis. */
export function lines({ title, note, categories, series, marks, joined = true }: Chart): string {
  const [left, right, top, height] = [70, 560, 76, 300];
  const low = Math.log(marks[0]?.value ?? 1);
  const high = Math.log(marks[marks.length - 1]?.value ?? 10);
  const y = (value: number) => top + height - ((Math.log(value) - low) / (high - low)) * height;
  const x = (index: number) => left + 30 + (index * (right - left - 60)) / Math.max(1, categories.length - 1);
  const drawn = series.map(({ name, values, look }, index) => {
    const colour = colours[index % colours.length];
    const points = values.flatMap((value, at) =>
      value === undefined
        ? []
        : [
            {
              x: x(at) + (joined ? 0 : 11 * (index - (series.length - 1) / 2)),
              y: y(Math.max(value, marks[0]?.value ?? value)),
            },
          ],
    );
    const path = points
      .map((point, at) => `${at === 0 ? 'M' : 'L'}${point.x.toFixed(1)},${point.y.toFixed(1)}`)
      .join('');
    const dash = look === 'unsafe' ? ' stroke-dasharray="5 4"' : '';
    const width = look === 'ours' ? 3.5 : 1.8;
    const key = top + 10 + index * 22;
    return [
      joined ? `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}"${dash}/>` : '',
      ...points.map(
        (point) =>
          `<circle cx="${point.x.toFixed(1)}" cy="${point.y.toFixed(1)}" r="${look === 'ours' ? 4.5 : 3.2}" fill="${colour}"/>`,
      ),
      `<path d="M${right + 20},${key}h24" stroke="${colour}" stroke-width="${width}"${dash}/>`,
      text(right + 52, key + 4, name),
    ].join('\n');
  });
  return svg(860, top + height + 50, title, [
    text(16, 24, title, 'title'),
    ...noteOf(note),
    ...marks.flatMap((mark) => [
      `<path d="M${left},${y(mark.value).toFixed(1)}H${right}" class="grid"/>`,
      text(left - 8, y(mark.value) + 4, mark.text, '', 'end'),
    ]),
    ...categories.map((category, index) => text(x(index), top + height + 22, category, '', 'middle')),
    ...drawn,
  ]);
}

export interface Range {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A row for each share with its limits, from 0 to `most`, and the bound that they must keep. */
export function ranges(
  title: string,
  note: readonly string[],
  rows: readonly Range[],
  bound: number,
  most: number,
): string {
  const [left, right, top, step] = [330, 820, 84, 19];
  const x = (value: number) => left + (Math.min(value, most) / most) * (right - left);
  const bottom = top + rows.length * step;
  const marks = [0, 0.25, 0.5, 0.75, 1, 1.25].map((part) => part * bound).filter((value) => value <= most);
  return svg(860, bottom + 40, title, [
    text(16, 24, title, 'title'),
    ...noteOf(note),
    ...marks.flatMap((mark) => [
      `<path d="M${x(mark).toFixed(1)},${top - 6}V${bottom}" class="${mark === bound ? 'bound' : 'grid'}"/>`,
      text(x(mark), bottom + 18, `${Number((mark * 100).toPrecision(3))} %`, '', 'middle'),
    ]),
    ...rows.map(({ name, value, low, high }, index) => {
      const y = top + index * step + 8;
      return [
        text(left - 12, y + 4, name, '', 'end'),
        `<path d="M${x(low).toFixed(1)},${y}H${x(high).toFixed(1)}" stroke="${colours[0]}" stroke-width="2"/>`,
        `<circle cx="${x(value).toFixed(1)}" cy="${y}" r="3.6" fill="${colours[0]}"/>`,
      ].join('\n');
    }),
  ]);
}
