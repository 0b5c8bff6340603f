import { maxColumns, maxFieldBytes } from '../limits.ts';
import { isAscii, isUtf8 } from '../utf8.ts';
import { type RowPlace, Window } from './window.ts';

const [comma, quote, newline, carriageReturn] = [44, 34, 10, 13];

/** How a field was written; `escaped`: with doubled quotes inside. */
export const quoting = { none: 0, quoted: 1, escaped: 2 } as const;

/**
 * Finds the rows of a CSV file and their fields, in pieces that may end anywhere: RFC 4180, with `\n` or `\r\n`, and with
 * any delimiter. Empty lines are no rows.
 *
 * `push` a piece, then take rows while there is a `next`; after `close` as well. Offsets are of `window.bytes`. Where a
 * piece ends in a row, the next one goes on at the field in which it ended.
 */
export class CsvScanner {
  readonly window: Window;
  /** Fields of the row; the arrays hold the first 10,001. */
  count = 0;
  readonly starts = new Int32Array(maxColumns + 1);
  readonly ends = new Int32Array(maxColumns + 1);
  readonly quotes = new Uint8Array(maxColumns + 1);
  /** A careful reader and a careless one would read the row differently: a quote stands inside a field. */
  isOdd = false;

  /** Nothing beyond ASCII was read yet. */
  private isPlain = true;
  private delimiter: number;
  private field = 0;

  constructor(key: string, place: RowPlace, delimiter = comma) {
    this.window = new Window(key, place);
    this.delimiter = delimiter;
  }

  push(piece: Uint8Array): void {
    this.isPlain &&= isAscii(piece);
    const moved = this.window.push(piece);
    this.field = this.count === 0 ? this.window.start : this.field - moved;
    for (let at = 0; at < Math.min(this.count, this.starts.length); at += 1) {
      this.starts[at] = (this.starts[at] ?? 0) - moved;
      this.ends[at] = (this.ends[at] ?? 0) - moved;
    }
  }

  close(): void {
    this.window.isClosed = true;
  }

  next(): boolean {
    const { window } = this;
    if (window.end > window.start) this.begin();
    while (this.field < window.filled || (window.isClosed && this.count > 0)) {
      const isQuoted = this.field < window.filled && window.bytes[this.field] === quote;
      const end = isQuoted ? this.quotedField() : this.plainField();
      if (end < 0) {
        this.checkField(window.filled - this.field);
        break;
      }
      this.field = Math.min(end + 1, window.filled);
      if (end < window.filled && window.bytes[end] !== newline) continue;
      window.line += 1;
      window.end = this.field;
      if (!this.isBlank()) return true;
      this.begin();
    }
    window.checkLength();
    return false;
  }

  /** Finds the fields of the row again, with another delimiter. */
  again(delimiter: number): boolean {
    this.delimiter = delimiter;
    this.window.again();
    [this.field, this.count, this.isOdd] = [this.window.start, 0, false];
    return this.next();
  }

  /** The row that was found has no byte of another encoding. */
  isUtf8(): boolean {
    const { bytes, start, end } = this.window;
    return this.isPlain || isUtf8(bytes, start, end);
  }

  private begin(): void {
    this.window.pass();
    this.field = this.window.start;
    this.count = 0;
    this.isOdd = false;
  }

  private isBlank(): boolean {
    return this.count === 1 && this.quotes[0] === quoting.none && this.starts[0] === this.ends[0];
  }

  /** Keeps the field that begins here, and says where it ends; -1: not in what is read yet. */
  private plainField(): number {
    const { delimiter, field } = this;
    const { bytes, filled, isClosed } = this.window;
    const top = Math.max(delimiter, quote);
    let at = field;
    for (; at < filled; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte > top) continue;
      if (byte === delimiter || byte === newline) break;
      if (byte === quote) this.isOdd = true;
    }
    if (at >= filled && !isClosed) return -1;
    const isLineEnd = at >= filled || bytes[at] === newline;
    this.keep(field, isLineEnd && at > field && bytes[at - 1] === carriageReturn ? at - 1 : at, quoting.none);
    return at;
  }

  private quotedField(): number {
    const { bytes, filled, isClosed } = this.window;
    let at = this.field + 1;
    let lines = 0;
    let kind: number = quoting.quoted;
    for (; at < filled; at += 1) {
      const byte = bytes[at];
      if (byte === newline) lines += 1;
      if (byte !== quote) continue;
      if (at + 1 >= filled || bytes[at + 1] !== quote) break;
      at += 1;
      kind = quoting.escaped;
    }
    if (at >= filled && isClosed)
      throw this.window.fault('a quote that is opened in this row is never closed; close it');
    const end = this.afterQuote(at + 1);
    if (end < 0) return end;
    this.keep(this.field + 1, at, kind);
    this.window.line += lines;
    return end;
  }

  /** Where the field ends whose quote is closed before `from`; -1: not in what is read yet. */
  private afterQuote(from: number): number {
    const { bytes, filled, isClosed } = this.window;
    let at = from;
    while (at < filled && bytes[at] !== this.delimiter && bytes[at] !== newline) at += 1;
    if (at >= filled && !isClosed) return -1;
    const isReturn = at === from + 1 && bytes[from] === carriageReturn && (at >= filled || bytes[at] === newline);
    if (at > from && !isReturn) this.isOdd = true;
    return at;
  }

  private keep(start: number, end: number, kind: number): void {
    this.checkField(end - start);
    if (this.count < this.starts.length) {
      this.starts[this.count] = start;
      this.ends[this.count] = end;
      this.quotes[this.count] = kind;
    }
    this.count += 1;
  }

  private checkField(length: number): void {
    if (length > maxFieldBytes)
      throw this.window.fault(
        'a field has more than 1 MB; look for a quote that is not closed, or leave the column out',
      );
  }
}
