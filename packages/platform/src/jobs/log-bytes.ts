import type { LogPart } from './logs.ts';

/** The last lines of the end of a log. */
export function lastLines(end: Uint8Array, lines: number): readonly string[] {
  const text = new TextDecoder().decode(end).replace(/\n$/, '');
  return text === '' ? [] : text.split('\n').slice(-lines);
}

interface Part {
  /** A byte. */
  readonly from: number;
  /** Bytes; one line at least. */
  readonly max: number;
  /** Nothing will be written any more, so the last line may have no end. */
  readonly isOver: boolean;
}

type Read = (begin: number, bytes: number) => Promise<Uint8Array>;

/** A longer line is broken. */
const longestLine = 1024 * 1024;
const lineEnd = 10;

/** Whole lines of a log that is a file. `read` answers as many bytes as it is asked for, or fewer at the end of the log. */
export async function linesFrom({ from, max, isOver }: Part, read: Read): Promise<LogPart> {
  const found = await read(from, max);
  const isTooLong = found.length === max && !found.includes(lineEnd);
  const taken = isTooLong
    ? firstLine(await read(from, longestLine), isOver)
    : wholeLines(found, isOver && found.length < max);
  return { text: new TextDecoder().decode(taken), next: from + taken.length };
}

const wholeLines = (found: Uint8Array, isAll: boolean): Uint8Array =>
  isAll ? found : found.subarray(0, found.lastIndexOf(lineEnd) + 1);

function firstLine(found: Uint8Array, isOver: boolean): Uint8Array {
  const end = found.indexOf(lineEnd) + 1;
  return end > 0 || (!isOver && found.length < longestLine) ? found.subarray(0, end) : found;
}
