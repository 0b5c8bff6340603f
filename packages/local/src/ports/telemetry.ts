import { setImmediate as breathe, setTimeout } from 'node:timers/promises';
import { Fault } from '@serin/core/base/fault';
import type { Labels, Telemetry, Tick, TickQuery } from '@serin/core/ports/telemetry';
import { checkTicks } from '@serin/platform/telemetry';
import type { CaptureStore } from '../machine/capture-store.ts';
import type { Counters } from '../machine/counters.ts';
import type { LabelStore } from '../machine/labels.ts';
import { addText, bucketCount, quantile, total } from '../machine/latency.ts';
import type { Pairs } from '../machine/pairs.ts';
import { countsOf, groupByTick, pairsOf, segmentsOf } from '../machine/tick-sums.ts';
import { userHistories } from '../machine/user-history.ts';
import type { Users } from '../machine/users.ts';

const gatewayTicks = { stepMs: 1000, counts: 'the gateway counts whole seconds', mostTicks: 50_000 };

interface Sources {
  readonly counters: Counters;
  readonly pairs: Pairs;
  readonly users: Users;
  readonly labels: LabelStore;
  readonly captures: Pick<CaptureStore, 'read'>;
}

/**
 * Telemetry from the gateway's own counters, so all deployments are counted in one place.
 *
 * `tickMs` is a multiple of 1,000. A tick in which the gateway was down, even for a second, is empty for all deployments,
 * and `unserved`: half of a tick is no evidence. So is one in which a deployment that was ready before was on its way back
 * after a start. A threshold is rounded up to the next latency bound, by less than 5 %, and one that
 * `latency` answered is not rounded at all. A client that gave up counts with the time it had waited, and as no error.
 * Over 50,000 ticks in one call, or a window that is no number: `invalid`. Counts older than 35 days are gone (empty).
 * A tick with mirrored requests stays open until their mirror has ended as well: over two request timeouts when it hangs.
 * A user is one of the endpoint: an error at one deployment is known at all others. Users are remembered for 3 days: of a longer `usersSince`, who was not seen for 3 days is a new user.
 */
export function gatewayTelemetry({ counters, pairs, users, labels, captures }: Sources): Telemetry & Labels {
  const usersIn = userHistories(users);

  async function ticks({ endpoint, from, to, tickMs, measures, usersSince }: TickQuery): Promise<readonly Tick[]> {
    checkTicks({ from, to, tickMs }, gatewayTicks);
    if (usersSince !== undefined && !Number.isFinite(usersSince)) {
      throw new Fault('invalid', `cannot count users since ${usersSince}, which is not a time; give milliseconds`);
    }
    await flushed(counters, to);
    const first = Math.ceil(from / tickMs);
    const end = Math.max(first, Math.floor(Math.min(to, counters.finalUntil() * 1000) / tickMs));
    const perTick = tickMs / 1000;
    const since = usersSince === undefined ? undefined : Math.ceil(usersSince / 1000);
    const userTicks =
      since === undefined
        ? undefined
        : await usersIn({ endpoint, since, from: first * perTick, to: end * perTick, perTick, measures });
    const ticksIn = (begin: number, until: number): readonly Tick[] => {
      const window = [endpoint, begin * perTick, until * perTick] as const;
      const counted = groupByTick(counters.rows(...window, perTick), perTick);
      const segmented = groupByTick(counters.segmentRows(...window, perTick), perTick);
      const paired = groupByTick(pairs.rows(...window), perTick);
      return Array.from({ length: until - begin }, (_, index) => {
        const tick = begin + index;
        const isServed = counters.covered(endpoint, tick * perTick, (tick + 1) * perTick);
        const isWhole = isServed && counted.has(tick);
        const segments = isWhole ? segmented.get(tick) : undefined;
        const copies = isWhole ? paired.get(tick) : undefined;
        return {
          start: tick * tickMs,
          counts: isWhole ? countsOf(counted.get(tick) ?? [], measures) : {},
          ...(isServed ? {} : { unserved: true }),
          ...(segments === undefined ? {} : { segments: segmentsOf(segments, measures) }),
          ...(userTicks === undefined ? {} : { users: (isWhole ? userTicks.get(tick) : undefined) ?? {} }),
          ...(copies === undefined ? {} : { pairs: pairsOf(copies, measures) }),
        };
      });
    };
    const ticksAtOnce = Math.max(1, Math.floor(secondsAtOnce / perTick));
    const found: Tick[] = [];
    for await (const part of partsOf(first, end, ticksAtOnce)) found.push(...ticksIn(...part));
    return found;
  }

  return {
    ...labels,
    ticks,

    async captured(query) {
      await flushed(counters, query.to);
      const finalUntil = counters.finalUntil() * 1000;
      if (query.to > finalUntil)
        throw new Fault(
          'unavailable',
          `requests before ${query.to} may still come: all before ${finalUntil} have come; try again later`,
        );
      return captures.read(query);
    },

    async latency(endpoint, from, to) {
      await counters.flush();
      const histogram = new Uint32Array(bucketCount);
      for await (const part of partsOf(Math.ceil(from / 1000), Math.floor(to / 1000), secondsAtOnce))
        for (const { latencies } of counters.rows(endpoint, ...part, secondsAtOnce)) addText(histogram, latencies);
      const requests = total(histogram);
      if (requests === 0) return undefined;
      return {
        p50: quantile(histogram, 0.5),
        p90: quantile(histogram, 0.9),
        p99: quantile(histogram, 0.99),
        requests,
      };
    },
  };
}

/** Requests go on while a week of counts is read: of so many seconds at once. */
const secondsAtOnce = 3600;

/** From one to another, `most` at a time; between the parts others have their turn. */
async function* partsOf(from: number, to: number, most: number): AsyncGenerator<readonly [number, number]> {
  for (let begin = from; begin < to; begin += most) {
    if (begin > from) await breathe();
    yield [begin, Math.min(to, begin + most)];
  }
}

const shortlyMs = 250;
const lookAgainMs = 10;

/**
 * Flushes, and waits for a moment when the last second lacks an outcome: at a busy endpoint some request is under way at
 * every turn of a second, and who asks for a tick asks at its end.
 */
async function flushed(counters: Counters, to: number): Promise<void> {
  for (let waited = 0; ; waited += lookAgainMs) {
    await counters.flush();
    const missingMs = Math.floor(to / 1000) * 1000 - counters.finalUntil() * 1000;
    if (missingMs <= 0 || missingMs > 1000 || waited >= shortlyMs) return;
    await setTimeout(lookAgainMs);
  }
}
