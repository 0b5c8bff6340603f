import type { Stream } from '../guardrails/guardrail.ts';
import { fewestTicks, type History, type MeasureHistory } from './history.ts';
import { type Climate, independent } from './weather.ts';

/**
 * From what the champion did before the start to what is expected of a rollout.
 *
 * A champion whose counts scatter as chance alone would have them, and that had no incident, is calm: ticks of its rollout
 * may count for much. Of one that is not, or of which nothing is known, no few ticks decide. The constants were chosen by simulation (decisions/0074); no
 * bound rests on them.
 */

/** Nothing is known: an arm's own noise may be 20 % of the odds. */
const unknownNoise = 0.28;
/** Of noise that cannot be seen behind the chance of few requests: what was harmless in the simulations. */
const hiddenNoise = 0.1;
const [leastNoise, mostNoise] = [0.05, 1];
/** Thresholds that few requests exceed are noisier than those that many exceed. */
const thinner = 1.5;
/** The part of the evidence for what begins at a later weight. */
const later = 0.1;

/** One tick in 400 may be a burst: the tax that keeps the expectation at 1 is log(1 + (5 - 1) / 400). */
const careful = { cap: 5, tax: Math.log(1.01), later };
const quick = { cap: 50, tax: 0.001, dispersion: 1, later };

interface Watched {
  readonly clock: 'ticks' | 'labels';
  readonly unit: 'request' | 'user';
  readonly streams: readonly Stream[];
  readonly maxBurst: number;
}

/** What is expected of each stream of a guardrail, by its id. */
export function climatesOf(
  { clock, unit, streams, maxBurst }: Watched,
  history: History | undefined,
): Readonly<Record<string, Climate>> {
  if (clock === 'labels') return Object.fromEntries(streams.map(({ id }) => [id, independent]));
  const measured = new Map(streams.map(({ measure }) => [measure, history?.measures[measure]]));
  const all = [...measured.values()].filter((known) => known !== undefined);
  const hidden = (history?.ticks ?? 0) < fewestTicks ? unknownNoise : hiddenNoise;
  return Object.fromEntries(
    streams.map(({ id, measure, segment }) => {
      const known = measured.get(measure);
      // A segment, and users, have fewer bad requests than the whole.
      const typical =
        known === undefined || segment !== undefined || unit === 'user' ? {} : { typical: known.typical / maxBurst };
      return [id, { ...climateOf(known, all, hidden), ...typical }];
    }),
  );
}

/** `hidden`: the noise where the measure itself shows none. */
function climateOf(known: MeasureHistory | undefined, all: readonly MeasureHistory[], hidden: number): Climate {
  if (known === undefined) return { ...careful, tau: unknownNoise, dispersion: 1 };
  if (all.every(({ calm }) => calm))
    return { ...quick, tau: within(known.noise ?? leastNoise, leastNoise, hiddenNoise) };
  const largest = Math.max(0, ...all.map(({ noise = 0 }) => noise));
  const tau =
    known.noise === undefined
      ? within(thinner * largest, hidden, mostNoise)
      : within(known.noise, leastNoise, mostNoise);
  return { ...careful, tau, dispersion: known.noise === undefined ? known.dispersion : 1 };
}

const within = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);
