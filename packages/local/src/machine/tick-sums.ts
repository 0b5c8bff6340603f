import { byMeasure, errors, thresholdOf } from '@serin/core/base/measures';
import type { Counts, Discordant, PairCounts } from '@serin/core/ports/telemetry';
import { counted, type SecondRow, type SegmentRow } from './counter-store.ts';
import { addText, bucketCount, bucketOf, slowerThan } from './latency.ts';
import { latencyPairs, type PairRow } from './pairs.ts';

/** Rows of seconds, put together by the number of their tick. */
export function groupByTick<Row extends { readonly second: number }>(
  rows: Iterable<Row>,
  perTick: number,
): ReadonlyMap<number, readonly Row[]> {
  return Map.groupBy(rows, ({ second }) => Math.floor(second / perTick));
}

/** Counts by deployment. */
export function countsOf(rows: readonly SecondRow[], measures: readonly string[]): Readonly<Record<string, Counts>> {
  return byName(
    rows,
    ({ deployment }) => deployment,
    (own) => {
      const histogram = new Uint32Array(bucketCount);
      for (const { latencies } of own) addText(histogram, latencies);
      return {
        requests: sum(own, (row) => row.requests),
        bad: byMeasure(measures, (measure) => {
          const threshold = thresholdOf(measure);
          if (threshold !== undefined) return slowerThan(histogram, threshold);
          return counted.includes(measure) ? sum(own, ({ bad }) => bad[measure] ?? 0) : undefined;
        }),
      };
    },
  );
}

/** Counts by segment, then deployment. */
export const segmentsOf = (
  rows: readonly SegmentRow[],
  measures: readonly string[],
): Readonly<Record<string, Readonly<Record<string, Counts>>>> =>
  byName(
    rows,
    ({ segment }) => segment,
    (own) => countsOf(own, measures),
  );

/** Pairs by mirror. */
export const pairsOf = (rows: readonly PairRow[], measures: readonly string[]): Readonly<Record<string, PairCounts>> =>
  byName(
    rows,
    ({ mirror }) => mirror,
    (own) => ({
      pairs: sum(own, (row) => row.pairs),
      dropped: sum(own, (row) => row.dropped),
      bad: byMeasure(measures, (measure) => {
        if (measure === errors)
          return { mirror: sum(own, (row) => row.mirrorErrors), served: sum(own, (row) => row.servedErrors) };
        const threshold = thresholdOf(measure);
        return threshold === undefined ? undefined : slowPairs(own, threshold);
      }),
      predictions: {
        higher: sum(own, (row) => row.higher),
        lower: sum(own, (row) => row.lower),
        equal: sum(own, (row) => row.equal),
      },
    }),
  );

function slowPairs(rows: readonly PairRow[], threshold: number): Discordant {
  const cells = rows.flatMap(({ latencies }) => latencyPairs(latencies));
  const bucket = bucketOf(threshold);
  const only = (isBad: (cell: (typeof cells)[number]) => boolean) => sum(cells.filter(isBad), ({ pairs }) => pairs);
  return {
    mirror: only(({ served, mirror }) => mirror > bucket && served <= bucket),
    served: only(({ served, mirror }) => served > bucket && mirror <= bucket),
  };
}

const sum = <Row>(rows: readonly Row[], value: (row: Row) => number): number =>
  rows.reduce((total, row) => total + value(row), 0);

const byName = <Row, Value>(
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  value: (own: readonly Row[]) => Value,
): Readonly<Record<string, Value>> =>
  Object.fromEntries([...Map.groupBy(rows, nameOf)].map(([name, own]) => [name, value(own)]));
