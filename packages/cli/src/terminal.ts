import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { Failure } from './failure.ts';

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Where a command speaks: data to `out`, talk to `say`. */
export interface Terminal {
  /** One stable document, or with `--watch` one line per change. */
  readonly json: boolean;
  /** A person can be asked something. */
  readonly interactive: boolean;
  /** Columns of the terminal that data goes to; absent when it is not a terminal. */
  readonly width: number | undefined;
  /** Rows of the same terminal; it may have been made larger or smaller since. */
  readonly height?: number | undefined;
  /** Exact times are wanted, in UTC. */
  readonly utc?: boolean;
  readonly out: (text: string) => void;
  readonly say: (text: string) => void;
  /** Writes over the line that it wrote before, or takes it away with `''`; absent where nobody looks. */
  readonly redraw?: ((line: string) => void) | undefined;
  readonly paint: (colour: Colour, text: string) => string;
  /** No terminal, or any answer but y or yes: `false`. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** What a person answers, without the blanks around it; only for a terminal that is `interactive`. */
  readonly ask?: (question: string) => Promise<string>;
}

/** Colour wants a terminal, no `NO_COLOR`, and one that is not `dumb`. */
export function processTerminal(
  { stdin, stdout, stderr, env }: Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env'>,
  json: boolean,
  utc = false,
): Terminal {
  const colour = stdout.isTTY && stderr.isTTY && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return {
    json,
    utc,
    interactive: Boolean(stdin.isTTY && stderr.isTTY),
    get width() {
      return stdout.isTTY ? stdout.columns : undefined;
    },
    get height() {
      return stdout.isTTY ? stdout.rows : undefined;
    },
    out: (text) => void stdout.write(text),
    say: (text) => void stderr.write(text),
    redraw: stderr.isTTY && !json && env.TERM !== 'dumb' ? (line) => void stderr.write(`\r\u001b[K${line}`) : undefined,
    paint: (name, text) => (colour && !json ? styleText(name, text, { validateStream: false }) : text),
    confirm: async (question) => /^y(es)?$/i.test(await ask(`${question} [y/N] `)),
    ask,
  };

  async function ask(question: string): Promise<string> {
    const stop = new AbortController();
    const dialogue = createInterface({ input: stdin, output: stderr });
    try {
      // In a dialogue the terminal hands Ctrl-C, and Ctrl-D, to the dialogue, not to the process.
      for (const event of ['SIGINT', 'close'] as const) dialogue.once(event, () => stop.abort());
      return (await dialogue.question(question, { signal: stop.signal })).trim();
    } catch (error) {
      throw stop.signal.aborted ? new Failure(130, 'interrupted') : error;
    } finally {
      dialogue.close();
    }
  }
}

/**
 * Control characters of foreign text would move the cursor or colour the terminal of whoever reads it, and marks of
 * direction would show it in another order than it has.
 */
export const harmless = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
