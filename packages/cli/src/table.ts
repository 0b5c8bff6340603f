import { numberText } from '@serin/core/base/numbers';
import { shortIds } from './short-ids.ts';
import { type Colour, harmless, type Terminal } from './terminal.ts';
import { agoIn, timeIn } from './times.ts';
import { padTo, widthOf, wrapAt } from './width.ts';

/** A column: where its value is in a row, and how it is shown. */
export interface Column {
  /** Such as `run.status`. */
  readonly path: string;
  /** `id`: as short as the list allows. `ago` and `at`: a time. `state`: in the colour of what it says. */
  readonly as?: 'id' | 'ago' | 'at' | 'state';
  /** Left out where a terminal is too narrow for all, the largest first; absent: it stays. */
  readonly drop?: number;
}

/** Column title -> what it shows, or only its path. */
export type Columns = Readonly<Record<string, string | Column>>;

export type Reader = Pick<Terminal, 'paint' | 'width' | 'utc'>;

/** The value at a path of plain JSON; `undefined` where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
          ? (inner as Record<string, unknown>)[key]
          : undefined,
      value,
    );
}

const isTime = (key: string, value: unknown): value is number =>
  typeof value === 'number' && value > 1e11 && /(^|\.)(at|since|until|due|[a-zA-Z]+At|expires|deadline)$/.test(key);

/** A value as a person reads it in one line: times as RFC 3339, digests short. */
export function textOf(key: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (isTime(key, value)) return timeIn(value, { width: undefined });
  if (typeof value === 'string')
    return harmless(/^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value).replace(/\s+/g, ' ');
  if (Array.isArray(value)) return value.map((item) => textOf(key, item)).join(', ');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, inner]) => `${harmless(name)} ${textOf(name, inner)}`)
      .join(', ');
  return typeof value === 'number' ? numberText(value) : String(value);
}

const coloured: readonly (readonly [Colour, readonly string[]])[] = [
  ['green', ['succeeded', 'promoted', 'approved', 'champion', 'converged', 'ready', 'passed', 'better', 'ok']],
  ['red', ['failed', 'refused', 'rolledBack', 'quarantined', 'blocked', 'rejected', 'alarmed', 'degraded', 'worse']],
  ['yellow', ['held', 'paused', 'pending', 'waiting', 'aborted', 'cancelled', 'expired', 'reverting', 'stopping']],
];
const quiet = ['idle', 'quiet', 'absent', 'served', 'replayed', 'discarded', ''];

/** The colour of a state: what is well, what is wrong, what somebody may look at, and what goes on. */
export const stateColour = (state: string): Colour =>
  coloured.find(([, states]) => states.includes(state))?.[0] ?? (quiet.includes(state) ? 'dim' : 'cyan');

/** A column with the texts of its cells. */
interface Drawn extends Pick<Column, 'as' | 'drop'> {
  readonly title: string;
  readonly cells: readonly string[];
  readonly isRight: boolean;
  readonly width: number;
}

const gap = 2;
/** The last column keeps so much of a narrow terminal before others stay. */
const leastRest = 28;
const leastCell = 8;

/**
 * Aligned columns; one that is empty is left out.
 *
 * On a terminal the last column gets the room that is left and is broken at blanks. Where that is too little, columns go
 * that matter less. On a pipe a row is a line, and nothing is shortened or left out.
 */
export function table(rows: readonly unknown[], columns: Columns, terminal: Reader): string {
  const drawn = Object.entries(columns)
    .map(([title, column]) => drawnOf(title, typeof column === 'string' ? { path: column } : column, rows, terminal))
    .filter(({ cells }, index) => index === 0 || cells.some((cell) => cell !== ''));
  const shown = terminal.width === undefined ? drawn : fitted(drawn, terminal.width);
  const title = shown.map((column) => padded(column, column.title)).join(' '.repeat(gap));
  const lines = rows.flatMap((_, row) => linesOf(shown, row, terminal));
  return [terminal.paint('dim', title.trimEnd()), ...lines].map((line) => `${line}\n`).join('');
}

function drawnOf(title: string, { path, as, drop }: Column, rows: readonly unknown[], terminal: Reader): Drawn {
  const values = rows.map((row) => valueAt(row, path));
  const present = values.filter((value) => value !== undefined && value !== null);
  const short =
    as === 'id' && terminal.width !== undefined ? shortIds(present.map(String)) : (id: string): string => id;
  const cells = values.map((value) => short(cellOf(path, value, as, terminal)));
  return {
    ...{ title, cells },
    ...(as === undefined ? {} : { as }),
    ...(drop === undefined ? {} : { drop }),
    isRight: present.length > 0 && present.every((value) => typeof value === 'number') && as === undefined,
    width: Math.max(widthOf(title), ...cells.map(widthOf)),
  };
}

function cellOf(path: string, value: unknown, as: Column['as'], terminal: Reader): string {
  if (as !== 'ago' && as !== 'at') return textOf(path, value);
  const at = typeof value === 'number' ? value : Date.parse(String(value ?? ''));
  if (Number.isNaN(at)) return textOf(path, value);
  return as === 'ago' ? agoIn(at, terminal) : timeIn(at, terminal);
}

const widthAll = (columns: readonly Drawn[]): number =>
  columns.reduce((sum, { width }) => sum + width, gap * (columns.length - 1));

function fitted(columns: readonly Drawn[], width: number): readonly Drawn[] {
  const last = columns.at(-1);
  if (last === undefined || widthAll(columns) <= width) return columns;
  const room = width - (widthAll(columns) - last.width);
  if (room >= leastRest) return [...columns.slice(0, -1), { ...last, width: room }];
  const [out] = columns.filter(({ drop }) => drop !== undefined).sort((a, b) => (b.drop ?? 0) - (a.drop ?? 0));
  return out === undefined
    ? squeezed(columns, width)
    : fitted(
        columns.filter((column) => column !== out),
        width,
      );
}

/** Nothing more can go: the widest column is broken, and again, until all have room. */
function squeezed(columns: readonly Drawn[], width: number): readonly Drawn[] {
  const over = widthAll(columns) - width;
  const widest = columns.reduce((one, other) => (other.width > one.width ? other : one));
  if (over <= 0 || widest.width <= leastCell) return columns;
  const second = Math.max(leastCell, ...columns.filter((column) => column !== widest).map((column) => column.width));
  const less = Math.max(widest.width - over, Math.min(second, widest.width - 1), leastCell);
  return squeezed(
    columns.map((column) => (column === widest ? { ...column, width: less } : column)),
    width,
  );
}

const padded = ({ width, isRight }: Drawn, text: string): string => padTo(text, width, isRight ? 'left' : 'right');

function linesOf(columns: readonly Drawn[], row: number, terminal: Reader): readonly string[] {
  const wrapped = columns.map(({ cells, width }) =>
    terminal.width === undefined ? [cells[row] ?? ''] : wrapAt(cells[row] ?? '', width),
  );
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, at) => {
    const last = wrapped.findLastIndex((lines) => (lines[at] ?? '') !== '');
    return columns
      .slice(0, last + 1)
      .map((column, index) => {
        const text = wrapped[index]?.[at] ?? '';
        const full = index === last && !column.isRight ? text : padded(column, text);
        return column.as === 'state' ? terminal.paint(stateColour(column.cells[row] ?? ''), full) : full;
      })
      .join(' '.repeat(gap));
  });
}

/** One object, a field a line; an object in it stands under its name. */
export function facts(value: unknown, terminal: Reader): string {
  if (typeof value !== 'object' || value === null) return `${textOf('', value)}\n`;
  return factLines(value, terminal, '')
    .map((line) => `${line}\n`)
    .join('');
}

function factLines(value: object, terminal: Reader, indent: string): readonly string[] {
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
  const width = Math.max(0, ...fields.map(([key]) => widthOf(harmless(key))));
  return fields.flatMap(([key, inner]) => {
    const label = `${indent}${terminal.paint('dim', padTo(harmless(key), width))}`;
    if (typeof inner === 'object' && !Array.isArray(inner))
      return [label.trimEnd(), ...factLines(inner, terminal, `${indent}  `)];
    return hanging(label, indent.length + width, textOf(key, inner), terminal);
  });
}

/** A label of a width, and beside it a text whose further lines stand under its first. */
export function hanging(
  label: string,
  width: number,
  text: string,
  terminal: Pick<Terminal, 'width'>,
): readonly string[] {
  const room = (terminal.width ?? 0) - width - gap;
  const [first = '', ...more] = room < leastCell ? [text] : wrapAt(text, room);
  return [`${label}${' '.repeat(gap)}${first}`, ...more.map((line) => ' '.repeat(width + gap) + line)];
}
