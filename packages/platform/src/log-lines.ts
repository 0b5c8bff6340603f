import { asFault } from '@serin/core/base/fault';

/** One line of JSON for each happening that an operator may ask about. */
export interface LogLines {
  say(fact: string, more: Readonly<Record<string, unknown>>): void;
  fault(what: string, error: unknown): void;
  count(metric: string, more: Readonly<Record<string, unknown>>, value?: number): void;
}

interface Options {
  readonly write: (line: string) => void;
  /** What makes a platform count a metric by a line: the only part of a line that is the platform's own. */
  readonly metric: (name: string, value: number) => object;
}

export function logLines({ write, metric }: Options): LogLines {
  const line = (body: object) => write(JSON.stringify(body));
  return {
    say: (fact, more) => line({ fact, ...more }),
    fault: (what, error) => {
      const { code, message } = asFault(error);
      line({
        fact: 'fault',
        what,
        code,
        message,
        ...(code === 'defect' && error instanceof Error ? { stack: error.stack } : {}),
      });
    },
    count: (name, more, value = 1) => line({ ...more, ...metric(name, value) }),
  };
}
