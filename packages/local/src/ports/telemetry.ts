import { Fault } from '@serin/core/fault';
import type { Counts, Telemetry, Tick } from '@serin/core/ports';
import type { Counters, SecondRow } from '../machine/counters.ts';
import { addText, bucketCount, quantile, slowerThan, total } from '../machine/latency.ts';

const maxTicks = 50_000;

/**
 * Telemetry from the gateway's own counters, so all deployments are counted in one place.
 *
 * `tickMs` is a multiple of 1,000. A tick in which the gateway was down, even for a second, is empty for all deployments:
 * half of a tick is no evidence. A threshold is rounded up to the next latency bound, by less than 5 %, and one that
 * `latency` answered is not rounded at all. A client that gave up counts with the time it had waited, and as no error.
 * Over 50,000 ticks in one call, or a window that is no number: `invalid`. Counts older than 35 days are gone (empty).
 */
export function gatewayTelemetry({ counters }: { readonly counters: Counters }): Telemetry {
  return {
    async ticks({ endpoint, from, to, tickMs, slowerThan: thresholds }) {
      checkTicks(from, to, tickMs);
      await counters.flush();
      const first = Math.ceil(from / tickMs);
      const end = Math.floor(Math.min(to, counters.finalUntil() * 1000) / tickMs);
      const perTick = tickMs / 1000;
      const counted = byTick(counters.rows(endpoint, first * perTick, end * perTick), perTick, thresholds);
      return Array.from({ length: Math.max(0, end - first) }, (_, index): Tick => {
        const tick = first + index;
        const isWhole = counted.has(tick) && counters.covered(tick * perTick, (tick + 1) * perTick);
        return { start: tick * tickMs, counts: isWhole ? (counted.get(tick) ?? {}) : {} };
      });
    },

    async latency(endpoint, from, to) {
      await counters.flush();
      const histogram = new Uint32Array(bucketCount);
      const rows = counters.rows(endpoint, Math.ceil(from / 1000), Math.floor(to / 1000));
      for (const { latencies } of rows) addText(histogram, latencies);
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

function checkTicks(from: number, to: number, tickMs: number): void {
  if (!Number.isSafeInteger(tickMs) || tickMs <= 0 || tickMs % 1000 !== 0) {
    throw new Fault(
      'invalid',
      `cannot read ticks of ${tickMs} ms: the gateway counts whole seconds; use a multiple of 1000`,
    );
  }
  if (!((to - from) / tickMs <= maxTicks)) {
    throw new Fault(
      'invalid',
      `cannot read the ticks from ${from} to ${to}: more than ${maxTicks}; ask for less at once`,
    );
  }
}

interface Sum {
  requests: number;
  errors: number;
  readonly histogram: Uint32Array;
}

/** Counts by tick number and deployment; rows come ascending, so one tick is summed at a time. */
function byTick(
  rows: Iterable<SecondRow>,
  perTick: number,
  thresholds: readonly number[],
): ReadonlyMap<number, Readonly<Record<string, Counts>>> {
  const ticks = new Map<number, Record<string, Counts>>();
  let sums = new Map<string, Sum>();
  let current: number | undefined;
  const finish = () => {
    if (current !== undefined) ticks.set(current, countsOf(sums, thresholds));
    sums = new Map();
  };
  for (const row of rows) {
    const tick = Math.floor(row.second / perTick);
    if (tick !== current) finish();
    current = tick;
    addRow(sums, row);
  }
  finish();
  return ticks;
}

function addRow(sums: Map<string, Sum>, { deployment, requests, errors, latencies }: SecondRow): void {
  const sum = sums.get(deployment) ?? { requests: 0, errors: 0, histogram: new Uint32Array(bucketCount) };
  sum.requests += requests;
  sum.errors += errors;
  addText(sum.histogram, latencies);
  sums.set(deployment, sum);
}

const countsOf = (sums: ReadonlyMap<string, Sum>, thresholds: readonly number[]): Record<string, Counts> =>
  Object.fromEntries(
    [...sums].map(([deployment, { requests, errors, histogram }]) => [
      deployment,
      { requests, errors, slow: thresholds.map((threshold) => slowerThan(histogram, threshold)) },
    ]),
  );
