import { countText, numberText, percent } from '../../base/numbers.ts';
import { defined, own } from '../../base/objects.ts';
import type { ModelPlan } from '../../config/config.ts';
import {
  type Calibration,
  calibrationMetric,
  type Estimate,
  expectedPerformance,
  holdOutRowsMetric,
  leastRows,
  mostCalibrationError,
  mostLacking,
  type Probabilities,
  rowsIn,
} from '../../drift/estimate.ts';
import { ownScore } from '../run/steps.ts';
import type { Model } from '../state.ts';
import { deploymentName, type Version, type Versions, versionOf } from '../version.ts';
import type { ProbabilitiesAsked } from './protocol.ts';

/** What is expected of the predictions of a window, without labels. */
export interface EstimateSeen extends Estimate {
  readonly version: number;
  /** Of the window, with a probability. */
  readonly rows: number;
  /** Of calibration, on the hold-out of the version. */
  readonly error: number;
  /** Requests had drifted: the calibration of the hold-out may not hold for them. */
  readonly isDrifted?: true;
}

/** Of which answers the probabilities are added up, and where they are. */
export const probabilitiesAsked = (version: number, { monitor }: ModelPlan): ProbabilitiesAsked | undefined =>
  monitor.estimate && {
    ...{ of: deploymentName(version), pointer: monitor.estimate.probability, cutoff: monitor.estimate.cutoff },
  };

/** As the evaluate job of the version measured it on its own hold-out; `undefined`: it did not. */
export function calibrationOf(version: Version | undefined): Calibration | undefined {
  const score = version && ownScore(version);
  const [error, rows] = [own(score, calibrationMetric), own(score, holdOutRowsMetric)];
  return error === undefined ? undefined : { error, ...defined({ rows }) };
}

/** Why nothing is estimated of a version, whatever its answers are; `undefined`: something is. */
function flawOf(version: number, calibration: Calibration | undefined): string | undefined {
  const mends = 'see docs/performance.md';
  if (calibration === undefined)
    return `the evaluate job of v${version} reported no ${calibrationMetric} of its hold-out: let it, ${mends}`;
  const { error, rows = leastRows } = calibration;
  if (rows < leastRows)
    return `the hold-out of v${version} has ${countText(rows, 'row')}, and at least ${leastRows} tell how calibrated its probabilities are: hold out more`;
  if (error >= 0 && error <= mostCalibrationError) return undefined;
  return `the probabilities of v${version} are not calibrated: its ${calibrationMetric} is ${numberText(Number(error.toPrecision(3)))}, and at most ${mostCalibrationError} will do; calibrate them, ${mends}`;
}

/** What a window adds: what is expected of it, or why nothing is. Neither: the config does not ask for it. */
export function estimateAfter(
  { version, isOpen }: { readonly version: number; readonly isOpen: boolean },
  seen: Probabilities | undefined,
  { plan, versions }: { readonly plan: ModelPlan; readonly versions: Versions },
): { readonly estimate?: EstimateSeen; readonly unestimated?: string } {
  const { probability = '' } = plan.monitor.estimate ?? {};
  if (plan.monitor.estimate === undefined || seen === undefined) return {};
  const calibration = calibrationOf(versionOf(versions, version));
  const unestimated = flawOf(version, calibration) ?? lackOf(seen, probability);
  const expected = expectedPerformance(seen);
  if (unestimated !== undefined || expected === undefined || calibration === undefined) return defined({ unestimated });
  const { error } = calibration;
  return { estimate: { version, rows: rowsIn(seen), ...expected, error, ...(isOpen ? { isDrifted: true } : {}) } };
}

/** What a window lacks. */
function lackOf(seen: Probabilities, pointer: string): string | undefined {
  const rows = rowsIn(seen);
  const { lacking, lacks = 'nothing' } = seen;
  const place = pointer === '' ? 'in' : `at ${pointer.slice(0, 100)} in`;
  if (lacking > mostLacking * (rows + lacking))
    return `no probability ${place} ${lacking} of ${countText(rows + lacking, 'answer')}: the first has ${lacks} there; see monitor.estimate.probability`;
  return rows < leastRows
    ? `it has ${countText(rows, 'probability', 'probabilities')}, and ${leastRows} are needed`
    : undefined;
}

/** Of the last window that was judged, of the champion; `undefined`: the config does not ask for it, or nothing is. */
export function lastEstimate({ plan, champion, drift }: Pick<Model, 'plan' | 'champion' | 'drift'>) {
  const last = drift?.windows.at(-1)?.estimate;
  return plan.monitor.estimate !== undefined && last?.version === champion ? last : undefined;
}

/** What is expected of the champion without labels, in one line; `undefined`: the config does not ask for it. */
export function estimateText(model: Model): string | undefined {
  const { plan, champion, versions, drift, retired } = model;
  if (plan.monitor.estimate === undefined) return undefined;
  const off = 'nothing is estimated without labels';
  if (drift === undefined || champion === undefined || retired) return `${off} while drift is not judged`;
  const flaw = flawOf(champion, calibrationOf(versionOf(versions, champion)));
  if (flaw !== undefined) return `${off}: ${flaw}`;
  const { unestimated, incident } = drift;
  if (unestimated !== undefined) return `nothing is estimated of the last window: ${unestimated}`;
  const last = lastEstimate(model);
  if (last === undefined) return `nothing is estimated of v${champion} yet: its first window is awaited`;
  const moved = incident === undefined ? '' : '; requests have drifted, so it may be wrong';
  return `estimated without labels: ${estimatedText(last)}${moved}`;
}

function estimatedText({ version, rows, accuracy, precision, recall, error }: EstimateSeen): string {
  const more = [...namedShare('precision', precision), ...namedShare('recall', recall)].join(', ');
  return `v${version} should be right in ${percent(accuracy)} of ${countText(rows, 'answer')} of the last window${more === '' ? '' : ` (${more})`}; on its hold-out its probabilities were off by ${numberText(Number((100 * error).toPrecision(2)))} points on average`;
}

const namedShare = (name: string, share: number | undefined): readonly string[] =>
  share === undefined ? [] : [`${name} ${percent(share)}`];
