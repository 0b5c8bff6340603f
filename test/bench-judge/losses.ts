import { falseShares } from './calibration.ts';
import { exposureOf, figure, shareOf } from './claims.ts';
import { limitKey, others, oursName, warmUp } from './compare.ts';
import { errorsName, latencyName } from './effects.ts';
import type { Measured } from './report.ts';
import { bestTuned } from './targets.ts';

const kayentaMean = 'Kayenta on the mean latency, every 5 min';

/** Where this judge does not win, with the figures of this run. */
export function losses({ results, tuning, limits }: Measured): string {
  const rpm = 6000;
  const exposed = (name: string, rule: string) => {
    const tally = results[name]?.[rule];
    return tally === undefined ? 'not measured' : figure(exposureOf(tally).value, 'requests');
  };
  const [slow, tail] = [latencyName(rpm, 'x1.1'), latencyName(rpm, 'a second more for 2 %')];
  const thin = errorsName(600, 2);
  const thinner = errorsName(60, 2);
  const iid = bestTuned(results[errorsName(rpm, 2)] ?? {}, 'iid');
  const limit = limits[limitKey(rpm, 'iid', iid?.shape ?? '')] ?? Number.POSITIVE_INFINITY;
  const [, incident = 0, moving = 0] = falseShares(tuning, rpm, iid?.shape ?? '', limit);
  const found = (name: string, rule: string) => {
    const tally = results[name]?.[rule];
    return tally === undefined ? 'not measured' : figure(shareOf(tally).value, 'share');
  };
  const sooner = Object.keys(others).filter((rule) => {
    const [theirs, ours] = [results[errorsName(rpm, 2)]?.[rule], results[errorsName(rpm, 2)]?.[oursName.errors]];
    return theirs !== undefined && ours !== undefined && exposureOf(theirs).value < exposureOf(ours).value;
  });
  return `- **Latency.** Kayenta on the mean latency of each minute finds a candidate that is a little slower sooner: at x1.1 it
  exposes ${exposed(slow, kayentaMean)} requests when it judges every 5 minutes, and with this judge's warm-up ${exposed(slow, `${kayentaMean}, ${warmUp} min of warm-up`)}; this judge
  exposes ${exposed(slow, oursName.latency)} (latency alone) or ${exposed(slow, oursName.default)} (the default). When 2 % of the requests take a second more, it is
  ${exposed(tail, kayentaMean)}, ${exposed(tail, `${kayentaMean}, ${warmUp} min of warm-up`)} with warm-up, and ${exposed(tail, oursName.default)} for the default. Kayenta has no bound on false rollbacks.
- **Limits tuned to traffic that never changes.** The best limit tuned to 1 % in N1 alone (${iid?.shape ?? 'none'}) exposes
  ${iid === undefined ? '' : figure(exposureOf(iid.tally).value, 'requests')} requests at x2, this judge ${exposed(errorsName(rpm, 2), oursName.errors)}. It rolls back ${figure(incident, 'share')} of the innocent in a shared incident and
  ${figure(moving, 'share')} with a moving baseline.
- **Rules that roll back the innocent.** At x2 and 6,000 requests a minute these expose less than this judge: ${sooner.join('; ') || 'none'}.
  Their false rollbacks stand above.
- **More guardrails share one alpha.** At x2 eight guardrails expose ${exposed(errorsName(rpm, 2), oursName.eight)} requests, the default ${exposed(errorsName(rpm, 2), oursName.default)}, errors alone ${exposed(errorsName(rpm, 2), oursName.errors)}.
- **Doubled errors at 600 requests a minute** are limited by information: ${found(thin, oursName.default)} are taken back before the last step has used its
  time, after ${exposed(thin, oursName.default)} exposed requests. At 60 it is ${found(thinner, oursName.default)}; the honest answer there is to hold, to lengthen the bake or to
  shadow.
- **The first minutes.** Where the champion is not known to be calm, a minute multiplies the evidence by five at most, so
  nothing is taken back by the evidence in the first minutes, however bad it is. The hard limits act at once.
- **Weather that lasts.** Noise of an arm's own with a correlation of 0.95, bursts of one arm alone in three minutes one
  after the other, a candidate several times as noisy as its champion was: these are not told from a regression for
  certain; the second table of the conditions has their figures. A replica that is slower for the whole of a rollout is a regression to every rule.
- **A noisy champion hides small regressions**: what it tolerates stands in each certificate. A champion whose traffic of
  both arms has a rhythm of an hour is taken for a noisy one.
- **Users who stay with their model, when nobody says so**: routing holds the rollout, and takes it back by policy.`;
}
