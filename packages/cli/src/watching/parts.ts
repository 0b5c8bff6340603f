import { oddsText } from '@serin/core/base/numbers';
import { type Colour, harmless, type Terminal } from '../terminal.ts';
import { widthOf, wrapAt } from '../width.ts';

export type Reader = Pick<Terminal, 'width' | 'utc' | 'paint'>;

/** What stands before a line: it is done, goes on, is still to come, wants a person, or went wrong. */
export type Mark = keyof typeof marks;
const marks = {
  well: ['✔', 'green'],
  goes: ['●', 'cyan'],
  later: ['○', 'dim'],
  asks: ['!', 'yellow'],
  badly: ['✖', 'red'],
} as const satisfies Readonly<Record<string, readonly [string, Colour]>>;

/** A marked line; on a narrow terminal it goes on under its text. */
export function marked(mark: Mark, text: string, { width, paint }: Reader, indent = 2): string {
  const [sign, colour] = marks[mark];
  const blanks = ' '.repeat(indent);
  const line = oneLine(text);
  const room = (width ?? Number.POSITIVE_INFINITY) - indent - 2;
  // What fits keeps the blanks that align it.
  const lines = widthOf(line) <= room ? [line] : wrapAt(line, room);
  return lines
    .map((line) => (mark === 'later' ? paint('dim', line) : line))
    .map((line, index) => `${blanks}${index === 0 ? paint(colour, sign) : ' '} ${line}\n`)
    .join('');
}

const oneLine = (text: string): string => harmless(text.replaceAll(/[\t\n\r]+/g, ' '));

/** Lines that stand to the right of what they belong to; they are drawn for a terminal that is so much narrower. */
export const indented = (terminal: Reader, draw: (narrower: Reader) => string): string =>
  draw({ ...terminal, width: terminal.width === undefined ? undefined : terminal.width - 2 }).replaceAll(
    /^(?=.)/gm,
    '  ',
  );

/** `████░░░░`: how much of the whole, from 0 to 1. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** Evidence on its way to what decides: a bar, the odds, and the odds that decide. */
export const evidenceText = (
  { logE, wanted }: { readonly logE: number; readonly wanted: number },
  then: string,
): string => `${bar(logE / wanted, 16)}  ${oddsText(logE)}; ${then} at ${oddsText(wanted)}`;
