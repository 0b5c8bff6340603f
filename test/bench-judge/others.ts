import { shiftInterval } from './mann-whitney.ts';
import type { Arms, Stream } from './stream.ts';

/** After which tick the rule has taken the candidate's traffic away; `undefined`: never. */
export type Rule = (stream: Stream) => number | undefined;

const last = ({ weights }: Stream): number => weights.length - 1;
const rate = (bad: number, requests: number): number | undefined => (requests === 0 ? undefined : bad / requests);

/**
 * Flagger: every minute the success rate of the last minute must be at least 99 %. A check that fails, or has no data,
 * adds 1 to `failedChecks`, which no check that passes resets; the rollback comes with the next tick once
 * `failedChecks >= threshold`.
 *
 * Follows fluxcd/flagger `pkg/controller/scheduler.go` (`advanceCanary`: the threshold is compared before the analysis
 * of the tick; `failedChecks` is only reset by a new revision) and `pkg/controller/scheduler_metrics.go`
 * (`runBuiltinMetricChecks`: `metric.Threshold > val` fails, `ErrNoValuesFound` fails). Default threshold 1; its
 * documentation uses 10, its tutorial 5.
 */
export const flagger =
  (threshold: number, limit = 0.01): Rule =>
  (stream) => {
    let failed = 0;
    for (let tick = 0; tick <= last(stream); tick += 1) {
      if (failed >= threshold) return tick;
      const found = rate(stream.errors.candidate[tick] ?? 0, stream.requests.candidate[tick] ?? 0);
      if (found === undefined || found > limit) failed += 1;
    }
    return undefined;
  };

/**
 * Argo Rollouts: a measurement every 5 minutes of the candidate's errors in them; it fails when the share is above the
 * limit, and the run is aborted once more than `failureLimit` have failed, in whatever order.
 *
 * Follows argoproj/argo-rollouts `analysis/analysis.go` (`assessMetricStatus`: `result.Failed > metric.FailureLimit`).
 * Default `failureLimit` 0; its documentation uses 3. A measurement without requests is an error there, retried and
 * not counted as failed.
 */
export const argo =
  (failureLimit: number, limit = 0.01, every = 5): Rule =>
  (stream) => {
    let failed = 0;
    for (let tick = every - 1; tick <= last(stream); tick += every) {
      const found = windowRate(stream, 'candidate', tick - every + 1, tick);
      if (found !== undefined && found > limit) failed += 1;
      if (failed > failureLimit) return tick;
    }
    return undefined;
  };

/**
 * The alarm of SageMaker's deployment guardrails: the mean error rate of each 10 minutes is above the limit in two
 * periods one after the other; a period without data does not breach.
 *
 * Follows "Auto-Rollback Configuration and Monitoring" of the SageMaker developer guide, a CloudWatch alarm with
 * Statistic Average and EvaluationPeriods 2 on the new fleet's variant; Average weighs each request alike.
 */
export const sageMakerAlarm =
  (limit = 0.01, period = 10, breaches = 2): Rule =>
  (stream) => {
    let inRow = 0;
    for (let tick = period - 1; tick <= last(stream); tick += period) {
      const found = windowRate(stream, 'candidate', tick - period + 1, tick);
      inRow = found !== undefined && found > limit ? inRow + 1 : 0;
      if (inRow >= breaches) return tick;
    }
    return undefined;
  };

/**
 * Kayenta: the per-minute error rates (percent) of both arms since the start, judged every `every` minutes.
 *
 * Follows spinnaker/kayenta `NetflixACAJudge.scala` (`tolerance = 0.25, confLevel = 0.98`) and
 * `MannWhitneyClassifier.scala`: High iff the lower bound of the shift is above a quarter of the estimate's size, here
 * also with a ratio of means of at least 1, its default effect size. The metric is critical: High rolls back. Minutes
 * without requests have no rate and are left out; outliers are kept, as is its default.
 */
export const kayenta = (every: number): Rule => judgedBy(every, (stream) => minutes(stream, stream.errors, 100));

/** The same of the mean latency of each minute, in ms; so many minutes after each change of weight are left out. */
export const kayentaLatency = (every: number, warmUp = 0): Rule =>
  judgedBy(every, (stream) => warmed(stream, warmUp, minutes(stream, stream.latency, 1)));

function warmed({ weights }: Stream, warmUp: number, { candidate, champion }: Series): Series {
  const isWarm = (tick: number) => weights[tick - warmUp] === weights[tick];
  const only = (values: Series['candidate']) => values.map((value, tick) => (isWarm(tick) ? value : undefined));
  return { candidate: only(candidate), champion: only(champion) };
}

interface Series {
  readonly candidate: readonly (number | undefined)[];
  readonly champion: readonly (number | undefined)[];
}

const judgedBy =
  (every: number, series: (stream: Stream) => Series): Rule =>
  (stream) => {
    const { candidate, champion } = series(stream);
    for (let tick = every - 1; tick <= last(stream); tick += every)
      if (isHigh(known(candidate, tick), known(champion, tick))) return tick;
    return undefined;
  };

function minutes({ requests }: Stream, bad: Arms<Int32Array | Float64Array>, unit: number): Series {
  const of = (arm: keyof Arms) =>
    Array.from(requests[arm], (count, tick) => (count === 0 ? undefined : (unit * (bad[arm][tick] ?? 0)) / count));
  return { candidate: of('candidate'), champion: of('champion') };
}

const known = (values: readonly (number | undefined)[], until: number): number[] =>
  values.slice(0, until + 1).filter((value) => value !== undefined);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export function isHigh(experiment: readonly number[], control: readonly number[]): boolean {
  if (experiment.length === 0 || control.length === 0) return false;
  const [x, y] = [experiment.toSorted((a, b) => a - b), control.toSorted((a, b) => a - b)];
  if (x.length === y.length && x.every((value, index) => value === y[index])) return false;
  const shift = shiftInterval(x, y, 0.98);
  if (shift === undefined) return false;
  return shift.low > 0.25 * Math.abs(shift.estimate) && mean(x) / mean(y) >= 1;
}

/** Failed share of all requests in the ticks from `from` to `to`, both counted. */
export function windowRate(
  { errors, requests }: Stream,
  arm: keyof Arms,
  from: number,
  to: number,
): number | undefined {
  let [bad, all] = [0, 0];
  for (let tick = Math.max(0, from); tick <= to; tick += 1) {
    bad += errors[arm][tick] ?? 0;
    all += requests[arm][tick] ?? 0;
  }
  return rate(bad, all);
}
