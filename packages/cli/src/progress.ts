import { durationText, second } from '@serin/core/base/time';
import type { Terminal } from './terminal.ts';
import { wrapAt } from './width.ts';

/** One line of a terminal that is drawn again and again; on a pipe nothing. */
export interface Progress {
  /** `done` of `total` bytes. */
  bytes(done: number, total: number): void;
  /** What is waited for, for so long. */
  waits(what: string, ms: number): void;
  /** Takes the line away. */
  end(): void;
}

const barWidth = 24;

export function progressOn({ redraw, paint, width = 80 }: Pick<Terminal, 'redraw' | 'paint' | 'width'>): Progress {
  let shown = '';
  const show = (text: string) => {
    if (text !== shown) redraw?.(text);
    shown = text;
  };
  return {
    bytes(done, total) {
      const share = total === 0 ? 1 : Math.min(1, done / total);
      show(`${bar(share, paint)} ${Math.floor(share * 100)} %`);
    },
    // A line that is wider than the terminal would not be written over, but pushed up.
    waits: (what, ms) =>
      show(wrapAt(`${durationText(Math.floor(ms / second) * second)} waiting for ${what}`, width - 1)[0] ?? ''),
    end: () => show(''),
  };
}

function bar(share: number, paint: Terminal['paint']): string {
  const full = Math.round(share * barWidth);
  return `${paint('green', '━'.repeat(full))}${paint('dim', '─'.repeat(barWidth - full))}`;
}
