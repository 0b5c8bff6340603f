import { asFault } from '../base/fault.ts';
import { checkTick } from '../judge/checks.ts';
import { type History, historyOf, historyTickMs, recentMs } from '../judge/history.ts';
import type { Order } from '../model/protocol.ts';
import type { Telemetry, Tick, TickQuery } from '../ports/telemetry.ts';

type HistoryOrder = Extract<Order, { kind: 'readHistory' }>;

const ticksPerCall = 240;

/** No call begins later: one may take 20 s, and an effect is leased for 90 s. */
const patienceMs = 20_000;

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
  return historyOf({ deployment, measures, tickMs, recent, long });
}

/** The ticks of a window, ascending, read from its end on: what was longer ago is worth less, and may be forgotten. */
async function backwards(query: TickQuery, telemetry: Telemetry, isOver: () => boolean): Promise<readonly Tick[]> {
  const { from, to, tickMs } = query;
  const parts: (readonly Tick[])[] = [];
  for (let end = Math.floor(to / tickMs) * tickMs; end > from && !isOver(); end -= ticksPerCall * tickMs) {
    const part = { ...query, from: Math.max(from, end - ticksPerCall * tickMs), to: end };
    const ticks = await unlessRefused(() => ticksIn(part, telemetry));
    if (ticks === undefined) break;
    parts.unshift(ticks);
  }
  return parts.flat();
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
