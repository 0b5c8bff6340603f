import { asFault, Fault } from '@serin/core/base/fault';

/** How many lines of a log stand in the reason of a job that failed. */
export const keptLines = 20;

/** The last lines of a log, as the end of a sentence about the job; `''` if there are none. */
export const logEndOf = (lines: string): string => (lines === '' ? '' : `; the end of its log:\n${lines}`);

/** The end of a log for a reason that is known without it: a log that can never be read is told, and keeps nobody waiting. */
export async function logEndBy(read: () => Promise<readonly string[] | undefined>): Promise<string> {
  try {
    return logEndOf(((await read()) ?? []).join('\n'));
  } catch (error) {
    const fault = asFault(error);
    if (fault.retry !== 'never') throw fault;
    return `; its log cannot be read: ${fault.message}`;
  }
}

/** For an id of a job whose log cannot be read, because there is no such job. */
export const noJobToRead = (id: string): Fault =>
  new Fault('notFound', `there is no job ${id}; ask for the log of a job that was started`);

export interface LogPart {
  readonly text: string;
  /** The position to go on from. */
  readonly next: number;
}

export interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

/** A part of one stream of events: all of them up to `until`. */
export interface StreamPart {
  readonly events: readonly LogEvent[];
  readonly until: number;
}

export interface LogRange {
  readonly epoch: number;
  readonly from: number;
  /** Characters; one line at least. */
  readonly max: number;
}

/** Events of one millisecond that a position can tell apart. */
const perMillisecond = 4096;

/**
 * Before the first line of a job: the id of its run begins with the time (UUIDv7); of another id, before any
 * installation.
 */
export function beganAfter(key: string): number {
  const digits = /^run_([0-9a-f]{12})[0-9a-f]{20}\//.exec(key)?.[1];
  return digits === undefined ? Date.UTC(2026, 0, 1) : Number.parseInt(digits, 16);
}

/**
 * Whole lines of a log of events from a position on. Such a log has no bytes: a position is the milliseconds since
 * `epoch` and the lines of that millisecond, as one number that grows. `read` answers each stream from a time on: more
 * than `max` characters after the first millisecond, or all there are.
 */
export async function logPart(
  { epoch, from, max }: LogRange,
  read: (startTime: number) => Promise<readonly StreamPart[]>,
): Promise<LogPart> {
  const start = Math.floor(from / perMillisecond);
  const parts = await read(epoch + start);
  // If a stream has more lines, the next line after its last one may come from it.
  const known = Math.min(...parts.map(({ until }) => until));
  const events = parts.flatMap(({ events }) => events).filter(({ timestamp }) => timestamp <= known);
  let skip = from % perMillisecond;
  let [text, next] = ['', from];
  for (const { timestamp, message } of events.sort((one, other) => one.timestamp - other.timestamp)) {
    const at = Math.max(0, timestamp - epoch);
    if (at === start && skip > 0) {
      skip -= 1;
      continue;
    }
    const line = `${message}\n`;
    if (text !== '' && text.length + line.length > max) break;
    text += line;
    next = Math.floor(next / perMillisecond) === at ? next + 1 : at * perMillisecond + 1;
  }
  return { text, next };
}
