import { type RowPlace, Window } from './window.ts';

const [newline, carriageReturn] = [10, 13];

/** Finds the lines of a text file, in pieces that may end anywhere; see `CsvScanner`. Empty lines are no rows. */
export class LineScanner {
  readonly window: Window;
  private searched = 0;

  constructor(key: string, place: RowPlace) {
    this.window = new Window(key, place);
  }

  push(piece: Uint8Array): void {
    this.searched = Math.max(this.searched - this.window.push(piece), this.window.start);
  }

  close(): void {
    this.window.isClosed = true;
  }

  next(): boolean {
    const { window } = this;
    if (window.end > window.start) this.pass();
    while (window.start < window.filled) {
      const found = window.bytes.subarray(0, window.filled).indexOf(newline, this.searched);
      if (found < 0 && !window.isClosed) break;
      window.end = found < 0 ? window.filled : found + 1;
      window.line += 1;
      if (this.textEnd() > window.start) return true;
      this.pass();
    }
    this.searched = window.filled;
    window.checkLength();
    return false;
  }

  private pass(): void {
    this.window.pass();
    this.searched = this.window.start;
  }

  /** Where the text of the line ends. */
  textEnd(): number {
    const { bytes, start, end } = this.window;
    let at = end;
    if (at > start && bytes[at - 1] === newline) at -= 1;
    return at > start && bytes[at - 1] === carriageReturn ? at - 1 : at;
  }
}
