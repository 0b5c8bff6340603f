import { slowerThan } from '../../packages/core/src/base/measures.ts';
import { type History, historyMs, historyOf, historyTickMs } from '../../packages/core/src/judge/history.ts';
import type { Tick } from '../../packages/core/src/ports/telemetry.ts';
import { numberOf } from './names.ts';
import { type Random, random } from './random.ts';
import { type ArmCounts, champion, countsOf, minuteMs, start } from './rollout.ts';
import { fillAlone, newStream, type Traffic, thresholds } from './stream.ts';

/**
 * What a champion did before a rollout, as the product reads and summarises it: the last day by minutes, drawn for each
 * rollout, and six days before it by five minutes, the same for all rollouts of a case.
 */
export type Alone = () => ArmCounts;

/** How many rollouts have the same history: to draw a day costs as much as five of them. */
export const perHistory = 5;

const day = 24 * 60;
const measures = ['errors', ...thresholds.map(slowerThan)];
const perTick = historyTickMs / minuteMs;

const tickOf = (at: number, counts: ArmCounts): Tick => ({
  start: at,
  counts: { [champion]: countsOf(counts) },
});

/** The champion of a comparison, alone. */
export function aloneIn(traffic: Traffic, random: Random): Alone {
  const stream = newStream([0]);
  const weather = traffic.weather?.(random);
  const counts: ArmCounts = { requests: 0, errors: 0, slow: [0, 0, 0] };
  let minute = 0;
  return () => {
    fillAlone(stream, random, traffic, weather?.(minute) ?? 1);
    minute += 1;
    counts.requests = stream.requests.champion[0] ?? 0;
    counts.errors = stream.errors.champion[0] ?? 0;
    for (let index = 0; index < 3; index += 1) counts.slow[index] = stream.slow[index]?.champion[0] ?? 0;
    return counts;
  };
}

/** The same history for each rollout of a case. */
export const historyIn = (traffic: Traffic, name: string): History | undefined => {
  const own = random(numberOf(name));
  return historyAfter(daysBefore(aloneIn(traffic, own)), aloneIn(traffic, own));
};

/** Of a champion without any noise, which has so many bad requests in a tick. */
export const calmAt = (typical: number): History => ({
  ...{ from: start - historyMs, to: start, ticks: day },
  measures: {
    errors: {
      bad: 7 * day * typical,
      requests: 7 * day * 1000,
      typical,
      dispersion: 1,
      calm: true,
    },
  },
});

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

const copy = ({ requests, errors, slow }: ArmCounts): ArmCounts => ({
  requests,
  errors,
  slow: [...slow],
});

function together(minutes: readonly ArmCounts[]): ArmCounts {
  const sum: ArmCounts = { requests: 0, errors: 0, slow: [0, 0, 0] };
  for (const { requests, errors, slow } of minutes) {
    sum.requests += requests;
    sum.errors += errors;
    for (let index = 0; index < 3; index += 1) sum.slow[index] = (sum.slow[index] ?? 0) + (slow[index] ?? 0);
  }
  return sum;
}
