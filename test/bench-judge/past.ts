import { slowerThan } from '../../packages/core/src/base/measures.ts';
import { type History, historyMs, historyOf, historyTickMs } from '../../packages/core/src/judge/history.ts';
import type { Tick } from '../../packages/core/src/ports/telemetry.ts';
import { type ArmCounts, champion, countsOf, minuteMs, start } from './rollout.ts';
import { thresholds } from './stream.ts';

/**
 * What a champion did before a rollout, as the product reads and summarises it: the last day by minutes, drawn for each
 * rollout, and six days before it by five minutes, the same for all rollouts of a case.
 */
export type Alone = () => ArmCounts;

const day = 24 * 60;
const measures = ['errors', ...thresholds.map(slowerThan)];
const perTick = historyTickMs / minuteMs;

const tickOf = (at: number, counts: ArmCounts): Tick => ({ start: at, counts: { [champion]: countsOf(counts) } });

/** The six days. */
export function daysBefore(alone: Alone): readonly Tick[] {
  const ticks = (historyMs - day * minuteMs) / historyTickMs;
  return Array.from({ length: ticks }, (_, index) =>
    tickOf(start - historyMs + index * historyTickMs, together(Array.from({ length: perTick }, () => copy(alone())))),
  );
}

/** With the last day, minute by minute. */
export function historyAfter(before: readonly Tick[], alone: Alone): History | undefined {
  const minutes = Array.from({ length: day }, () => copy(alone()));
  const recent = minutes.map((counts, index) => tickOf(start - (day - index) * minuteMs, counts));
  const lately = Array.from({ length: day / perTick }, (_, index) =>
    tickOf(
      start - day * minuteMs + index * historyTickMs,
      together(minutes.slice(index * perTick, (index + 1) * perTick)),
    ),
  );
  return historyOf({ deployment: champion, measures, tickMs: minuteMs, start, recent, long: [...before, ...lately] });
}

const copy = ({ requests, errors, slow }: ArmCounts): ArmCounts => ({ requests, errors, slow: [...slow] });

function together(minutes: readonly ArmCounts[]): ArmCounts {
  const sum: ArmCounts = { requests: 0, errors: 0, slow: [0, 0, 0] };
  for (const { requests, errors, slow } of minutes) {
    sum.requests += requests;
    sum.errors += errors;
    for (let index = 0; index < 3; index += 1) sum.slow[index] = (sum.slow[index] ?? 0) + (slow[index] ?? 0);
  }
  return sum;
}
