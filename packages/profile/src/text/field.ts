import type { ColumnSink } from '../sink.ts';
import { NumberText } from './number.ts';
import { maySayTime, timeOf } from './time.ts';

const number = new NumberText();

/** Gives a field of a file as what it can be read as: a quoted number is a number. Without quotes, no bytes are no value. */
export function giveField(sink: ColumnSink, bytes: Uint8Array, from: number, to: number, isQuoted: boolean): void {
  if (from === to && !isQuoted) sink.missing();
  else if (maySayTime(bytes, from, to)) giveTime(sink, bytes, from, to);
  else if (maySayNumber(bytes[from] ?? 0) && number.read(bytes, from, to)) sink.number(number.value, number.isWhole);
  else if (isWord(bytes, from, to, 'true')) sink.boolean(true);
  else if (isWord(bytes, from, to, 'false')) sink.boolean(false);
  else sink.text(bytes, from, to);
}

function giveTime(sink: ColumnSink, bytes: Uint8Array, from: number, to: number): void {
  const ms = timeOf(bytes, from, to);
  if (Number.isNaN(ms)) sink.text(bytes, from, to);
  else sink.time(ms);
}

/** Digits, signs, the point, spaces, and the first letters of NaN and infinity. */
const maySayNumber = (byte: number) => byte <= 57 || (byte | 32) === 105 || (byte | 32) === 110;

function isWord(bytes: Uint8Array, from: number, to: number, word: string): boolean {
  if (to - from !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) if (((bytes[from + at] ?? 0) | 32) !== word.charCodeAt(at)) return false;
  return true;
}
