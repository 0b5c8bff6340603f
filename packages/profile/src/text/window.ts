import { Fault } from '@serin/core/base/fault';
import { maxRowBytes } from '../limits.ts';

/** Where a row begins: the byte of the object, and the line, from 1. */
export interface RowPlace {
  readonly at: number;
  readonly line: number;
}

/**
 * What is in memory of a text file that is read piece by piece: one row, and what came after it.
 *
 * The row that was found last is `bytes` from `start` to `end`, the end of its line with it. Without one, `end` is `start`.
 */
export class Window {
  bytes: Uint8Array = new Uint8Array(0);
  /** Bytes from here on are of no meaning. */
  filled = 0;
  /** No piece comes after this one. */
  isClosed = false;
  start = 0;
  end = 0;
  /** The line in which the row begins, and the one that is read now. */
  startLine: number;
  line: number;
  private readonly key: string;
  private base: number;

  constructor(key: string, place: RowPlace) {
    this.key = key;
    this.base = place.at;
    this.startLine = place.line;
    this.line = place.line;
  }

  /** The byte of the object at which the row ends. */
  get endAt(): number {
    return this.base + this.end;
  }

  /** Goes on to what is behind the row. */
  pass(): void {
    this.start = this.end;
    this.startLine = this.line;
  }

  /** Goes back to the begin of the row. */
  again(): void {
    this.end = this.start;
    this.line = this.startLine;
  }

  /** Takes a piece, where no row is left. A byte order mark, which is whole in the first piece, is passed over. It says by how much everything has moved to the left. */
  push(piece: Uint8Array): number {
    const moved = this.start;
    const rest = this.filled - moved;
    const isShort = rest + piece.length > this.bytes.length;
    const target = isShort ? new Uint8Array(Math.max(2 * rest, rest + piece.length)) : this.bytes;
    target.set(this.bytes.subarray(moved, this.filled));
    target.set(piece, rest);
    this.bytes = target;
    this.filled = rest + piece.length;
    this.base += moved;
    const mark = this.base === 0 && moved === 0 && rest === 0 && hasMark(piece) ? byteOrderMark.length : 0;
    [this.start, this.end] = [mark, mark];
    return moved;
  }

  /** A row without an end would fill the memory. */
  checkLength(): void {
    if (this.filled - this.start > maxRowBytes)
      throw this.fault('the row has more than 16 MB; look for a quote that is not closed, or leave columns out');
  }

  where(): string {
    return `${this.key}:${this.startLine}`;
  }

  fault(what: string): Fault {
    return new Fault('invalid', `${this.where()}: ${what}`);
  }
}

const byteOrderMark = [0xef, 0xbb, 0xbf];
const hasMark = (bytes: Uint8Array) => byteOrderMark.every((byte, at) => bytes[at] === byte);
