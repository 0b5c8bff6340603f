/** SVG by hand: readable on a light page and on a dark one, and without a dependency. */

/** One picture: a row for each rule or null, a panel for each effect, and a dot where they meet. Nothing overlaps. */
export interface Chart {
  readonly title: string;
  /** Lines of it. */
  readonly note: readonly string[];
  readonly panels: readonly Panel[];
  readonly rows: readonly Row[];
}

export interface Panel {
  readonly title: string;
  /** Marks of the logarithmic axis, ascending; what lies beyond them is drawn at the edge. */
  readonly marks: readonly { readonly value: number; readonly text: string }[];
  /** A red line: what must not be exceeded. */
  readonly bound?: number;
}

export interface Row {
  readonly name: string;
  /** Filled and large: this judge. Empty: a rule that rolls back more of the innocent than the bound. */
  readonly look?: 'ours' | 'unsafe' | 'reference';
  /** One for each panel; `undefined` leaves a gap. */
  readonly points: readonly (Point | undefined)[];
}

export interface Point {
  readonly value: number;
  /** Limits, drawn as a bar. */
  readonly low?: number;
  readonly high?: number;
}

const style = `<style>
text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.note{fill:#57606a}
.small{font-size:11px;fill:#57606a}.strong{font-weight:600}.grid{stroke:#8b949e;stroke-opacity:.35}
.row{stroke:#8b949e;stroke-opacity:.15}.bound{stroke:#d1242f;stroke-width:1.5;stroke-dasharray:6 3}
.ours{fill:#2f81f7;stroke:#2f81f7}.other{fill:#e3742f;stroke:#e3742f}.unsafe{fill:none;stroke:#e3742f;stroke-width:1.6}
.reference{fill:#8b8f98;stroke:#8b8f98}
@media (prefers-color-scheme: dark){text{fill:#e6edf3}.note,.small{fill:#9aa4af}.bound{stroke:#ff7b72}}
</style>`;

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const text = (x: number, y: number, what: string, kind = '', anchor = 'start'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${kind}" text-anchor="${anchor}">${escaped(what)}</text>`;

const [width, left, gap, step] = [1000, 400, 26, 20];

export function dots({ title, note, panels, rows }: Chart): string {
  const top = 66 + 16 * note.length;
  const bottom = top + rows.length * step;
  const wide = (width - left - 20 - gap * (panels.length - 1)) / panels.length;
  const drawn = panels.map((panel, index) => {
    const from = left + index * (wide + gap);
    const x = axis(panel, from, wide);
    return [
      text(from, top - 12, panel.title, 'strong'),
      ...panel.marks.flatMap(({ value, text: mark }) => [
        `<path d="M${x(value).toFixed(1)},${top}V${bottom}" class="grid"/>`,
        text(x(value), bottom + 16, mark, 'small', 'middle'),
      ]),
      ...(panel.bound === undefined
        ? []
        : [`<path d="M${x(panel.bound).toFixed(1)},${top - 4}V${bottom + 2}" class="bound"/>`]),
      ...rows.flatMap(({ points, look }, row) => {
        const point = points[index];
        return point === undefined ? [] : [dotAt(point, x, top + row * step + step / 2, look)];
      }),
    ].join('\n');
  });
  const isMixed = rows.some(({ look }) => look !== 'ours' && look !== 'reference');
  const names = rows.flatMap(({ name, look }, row) => {
    const y = top + row * step + step / 2;
    return [
      `<path d="M16,${y + step / 2}H${width - 20}" class="row"/>`,
      text(left - 16, y + 4, name, isMixed && look === 'ours' ? 'strong' : '', 'end'),
    ];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 30}" role="img" aria-label="${escaped(title)}">
${style}
${[text(16, 24, title, 'title'), ...note.map((line, index) => text(16, 43 + 16 * index, line, 'note')), ...names, ...drawn].join('\n')}
</svg>
`;
}

function axis({ marks }: Panel, from: number, wide: number): (value: number) => number {
  const low = Math.log(marks[0]?.value ?? 1);
  const high = Math.log(marks[marks.length - 1]?.value ?? 10);
  return (value) => {
    const part = value <= 0 ? 0 : (Math.log(value) - low) / (high - low);
    return from + 6 + Math.min(1, Math.max(0, part)) * (wide - 12);
  };
}

function dotAt({ value, low, high }: Point, x: (value: number) => number, y: number, look: Row['look']): string {
  const kind = look ?? 'other';
  const bar =
    low === undefined || high === undefined
      ? ''
      : `<path d="M${x(low).toFixed(1)},${y}H${x(high).toFixed(1)}" class="${kind}" stroke-width="2"/>`;
  return `${bar}<circle cx="${x(value).toFixed(1)}" cy="${y}" r="${look === 'ours' ? 5 : 3.8}" class="${kind}"/>`;
}
