import type { Evidence } from './evidence.ts';
import { pairsOf } from './paired.ts';
import type { Guardrail } from './rules.ts';
import { tauOf, toleratedIn, weatherOf } from './weather.ts';

/** What is tolerated of a stream by now, because an arm has noise of its own. */
export interface Tolerance {
  /** Standard deviation of the log-odds between the arms that is noise. */
  readonly noise: number;
  /** The ratio that is no harm: that of the config, and what such noise may look like. */
  readonly tolerated: number;
}

/** Of split traffic or of the pairs of a mirror, whichever is noisier. `undefined`: not judged tick by tick. */
export function toleranceOf(
  evidence: Evidence,
  id: string,
  { clock, climates, toleratedRatio }: Guardrail,
): Tolerance | undefined {
  const climate = climates[id];
  if (clock !== 'ticks' || climate === undefined) return undefined;
  const seen = [weatherOf(evidence, id), weatherOf(evidence, pairsOf(id))];
  const noise = Math.max(...seen.map((known) => (known === undefined ? climate.tau : tauOf(known, climate))));
  return { noise, tolerated: toleratedIn(toleratedRatio, noise) };
}
