import { percent } from '@serin/core/base/numbers';
import type { Terminal } from './terminal.ts';

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

export function progressOn({ redraw, paint }: Pick<Terminal, 'redraw' | 'paint'>): Progress {
  const draw = redraw ?? (() => undefined);
  let shown = '';
  const show = (text: string) => {
    if (text !== shown) draw(text);
    shown = text;
  };
  return {
    bytes: (done, total) =>
      show(`${bar(total === 0 ? 1 : done / total, paint)} ${percent(total === 0 ? 1 : done / total)}`),
    waits: (what, ms) => show(`${what}  ${Math.floor(ms / 1000)}s`),
    end: () => show(''),
  };
}

function bar(share: number, paint: Terminal['paint']): string {
  const full = Math.round(Math.min(1, share) * barWidth);
  return `${paint('green', '━'.repeat(full))}${paint('dim', '─'.repeat(barWidth - full))}`;
}
