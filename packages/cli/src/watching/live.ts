import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from '../terminal.ts';
import { widthOf } from '../width.ts';

/** A part of the terminal that is drawn again and again in its place. */
export interface Live {
  draw(frame: string): void;
  /** What was drawn stays; the cursor is shown again. Twice: the same as once. */
  end(): void;
}

const esc = '\u001b[';
// A terminal that knows it shows a frame only once it is whole: https://contour-terminal.org/vt-extensions/synchronized-output/
const [begin, done] = [`${esc}?2026h`, `${esc}?2026l`];
const [hide, show] = [`${esc}?25l`, `${esc}?25h`];

/**
 * Each line is written over, and what is left below is cleared: nothing flickers. A frame that is taller than the
 * terminal is cut, because what has scrolled away cannot be written over. After the terminal was made narrower, lines
 * of the last frame may take more rows than they had.
 */
export function liveScreen(terminal: Pick<Terminal, 'out' | 'width' | 'height'>): Live {
  let last: readonly string[] = [];
  let isOver = false;
  const rowsOf = (lines: readonly string[]): number =>
    lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(plain(line)) / (terminal.width ?? 80))), 0);
  const end = (): void => {
    if (!isOver) terminal.out(show);
    isOver = true;
    process.off('exit', end);
  };
  process.on('exit', end);
  terminal.out(hide);
  return {
    draw(frame) {
      if (isOver) return;
      const lines = cutTo(frame.replace(/\n$/, '').split('\n'), (terminal.height ?? 24) - 1);
      const up = rowsOf(last);
      terminal.out(
        `${begin}${up === 0 ? '' : `${esc}${up}A`}\r${lines.map((line) => `${line}${esc}K\n`).join('')}${esc}J${done}`,
      );
      last = lines;
    },
    end,
  };
}

const plain = (line: string): string => stripVTControlCharacters(line);

const cutTo = (lines: readonly string[], most: number): readonly string[] =>
  lines.length <= most ? lines : [...lines.slice(0, Math.max(1, most - 1)), `… ${lines.length - most + 1} more lines`];
