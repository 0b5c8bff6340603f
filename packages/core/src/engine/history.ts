import { asFault } from '../base/fault.ts';
import { checkTick } from '../judge/checks.ts';
import { type History, historyOf, historyTickMs, recentMs } from '../judge/history.ts';
import type { Order } from '../model/protocol.ts';
import type { Telemetry, Tick, TickQuery } from '../ports/telemetry.ts';

type HistoryOrder = Extract<Order, { kind: 'readHistory' }>;

const ticksPerCall = 240;
/** Of each window: a platform may answer no more than five queries of one caller at once. */
const callsAtOnce = 2;

/** No call begins later: an effect begins with 30 s left of its lease and its process, and a call may take 20 s. */
const patienceMs = 10_000;

/**
 * The history of a champion, as far back as its counts can be read in time. A fault that time may mend is thrown.
 *
 * The ticks of a week are not put into the journal, as those of a rollout are: their summary is.
 */
export async function readHistory(
  { endpoint, deployment, from, to, tickMs, measures }: HistoryOrder,
  telemetry: Telemetry,
  now: () => number,
): Promise<History | undefined> {
  const until = now() + patienceMs;
  const read = (since: number, ms: number) =>
    backwards({ endpoint, measures, from: since, to, tickMs: ms }, telemetry, () => now() > until);
  const [recent, long] = await Promise.all([
    read(Math.max(from, to - recentMs(tickMs)), tickMs),
    read(from, historyTickMs),
  ]);
  return historyOf({ deployment, measures, tickMs, start: to, recent, long });
}

/** The ticks of a window, ascending, read from its end on: what was longer ago is worth less, and may be forgotten. */
async function backwards(query: TickQuery, telemetry: Telemetry, isOver: () => boolean): Promise<readonly Tick[]> {
  const parts = partsOf(query);
  const known: (readonly Tick[])[] = [];
  for (let next = 0; next < parts.length && !isOver(); next += callsAtOnce) {
    const calls = parts.slice(next, next + callsAtOnce).map((part) => unlessRefused(() => ticksIn(part, telemetry)));
    for (const ticks of await Promise.all(calls)) {
      if (ticks === undefined) return known.flat();
      known.unshift(ticks);
    }
  }
  return known.flat();
}

/** The latest first. */
function partsOf(query: TickQuery): readonly TickQuery[] {
  const { from, to, tickMs } = query;
  const most = ticksPerCall * tickMs;
  const end = Math.floor(to / tickMs) * tickMs;
  return Array.from({ length: Math.max(0, Math.ceil((end - from) / most)) }, (_, index) => ({
    ...query,
    from: Math.max(from, end - (index + 1) * most),
    to: end - index * most,
  }));
}

async function ticksIn(query: TickQuery, telemetry: Telemetry): Promise<readonly Tick[]> {
  const ticks = await telemetry.ticks(query);
  for (const tick of ticks) checkTick(tick, query.measures);
  return ticks;
}

/** `undefined`: the platform cannot tell, and never will. */
async function unlessRefused<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    const { code } = asFault(error);
    if (code === 'invalid' || code === 'notFound') return undefined;
    throw error;
  }
}
