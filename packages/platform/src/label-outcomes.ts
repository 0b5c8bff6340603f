import {
  type Classes,
  type Errors,
  errorOf,
  lossOfError,
  type TruthRule,
  withClass,
  withError,
} from '@serin/core/base/truths';
import type { LabelOutcome, LabelTick } from '@serin/core/ports/telemetry';
import type { Prediction } from './prediction.ts';

/** As it is kept: a truth is its text. */
export type StoredOutcome = { readonly truth: string } | Exclude<LabelOutcome, { truth: unknown }>;

/** A request with what is known of its answer. */
export interface LabelledRequest {
  readonly deployment: string;
  /** Percent, as it was when it was routed; absent: nobody recorded it. */
  readonly weight?: number;
  /** The scalar in the answer; absent: none was found, or the answer is not there yet. */
  readonly prediction?: Prediction;
  readonly errored: boolean;
  /** Nobody knows what was answered: a truth says nothing of it. */
  readonly unseen?: true;
  /** Of a request that was mirrored, once the copy has ended. */
  readonly mirror?: { readonly deployment: string; readonly prediction?: Prediction; readonly failed: boolean };
}

interface Row {
  readonly deployment: string;
  readonly weight?: number;
  requests: number;
  labelled: number;
  wrong: number;
  classes?: Classes;
  errors?: Errors;
}

/** Equal for outcomes that say the same. */
export function outcomeText(outcome: LabelOutcome): string {
  if ('truth' in outcome) return JSON.stringify({ truth: String(outcome.truth) });
  if ('loss' in outcome) return JSON.stringify({ loss: outcome.loss });
  const { wrong, mirror } = outcome;
  return JSON.stringify({ wrong, mirror });
}

/** What `outcomeText` wrote. */
export const outcomeOf = (text: string): StoredOutcome => JSON.parse(text) as StoredOutcome;

/**
 * The counts of a tick, request by request in the order in which they were routed, each with the outcome that came in
 * time.
 *
 * A prediction and a truth are compared as text: `1` is the same as `"1"`, and `true` as `"true"`, but `"1.0"` is not
 * `1`. Under a truth an answer that was an error, or in which no prediction could be read, is wrong: a deployment does
 * not escape by answering in another form. `wrong` is the sender's word, also about an error.
 *
 * Under a rule with a scale a truth is a loss, by how far the prediction is from it. What cannot be read, or is no number, is
 * a loss of 1. It is in no pair: a loss of one answer says nothing of the other one.
 *
 * A pair is a mirrored request whose label speaks of both answers: a truth, or `wrong` with `mirror`. A mirror that
 * failed is wrong whatever the sender says of it.
 */
export function openLabelTick(
  start: number,
  truths: TruthRule | undefined,
): {
  add(request: LabelledRequest, outcome: StoredOutcome | undefined): void;
  close(): LabelTick;
} {
  // A rule has one of them.
  const { positive, scale }: { readonly positive?: string; readonly scale?: number } = truths ?? {};
  const rows = new Map<string, Row>();
  const losses: LabelTick['losses'][number][] = [];
  const pairs = new Map<string, { mirror: number; served: number }>();

  function judge(row: Row, request: LabelledRequest, outcome: Judged): void {
    const { mirror } = request;
    const wrong = isWrong(outcome, request);
    row.labelled += 1;
    if (wrong) row.wrong += 1;
    if ('truth' in outcome && positive !== undefined)
      row.classes = withClass(row.classes, !isWrong({ truth: positive }, request), outcome.truth === positive);
    const mirrorWrong = isMirrorWrong(outcome, mirror);
    if (mirror === undefined || mirrorWrong === undefined || mirrorWrong === wrong) return;
    const pair = pairs.get(mirror.deployment) ?? { mirror: 0, served: 0 };
    pairs.set(mirror.deployment, pair);
    pair[wrong ? 'served' : 'mirror'] += 1;
  }

  return {
    add(request, outcome) {
      const { deployment, weight } = request;
      const arm = { deployment, ...(weight === undefined ? {} : { weight }) };
      const key = `${weight} ${deployment}`;
      const row = rows.get(key) ?? { ...arm, requests: 0, labelled: 0, wrong: 0 };
      rows.set(key, row);
      row.requests += 1;
      if (outcome === undefined || ('truth' in outcome && request.unseen)) return;
      if ('loss' in outcome) losses.push({ ...arm, loss: outcome.loss });
      else if ('truth' in outcome && scale !== undefined) {
        const error = errorIn(request, outcome.truth);
        losses.push({ ...arm, loss: lossOfError(error, scale) });
        row.errors = withError(row.errors, error);
      } else judge(row, request, outcome);
    },
    close: () => ({ start, rows: [...rows.values()], losses, pairs: Object.fromEntries(pairs) }),
  };
}

type Judged = Exclude<StoredOutcome, { loss: unknown }>;

const isWrong = (outcome: Judged, { errored, prediction }: LabelledRequest): boolean =>
  'truth' in outcome ? errored || differs(prediction, outcome.truth) : outcome.wrong;

const errorIn = ({ errored, prediction }: LabelledRequest, truth: string): number | undefined =>
  errored || prediction === undefined ? undefined : errorOf(String(prediction), truth);

/** `undefined`: there is no mirror, or the label does not speak of it. */
function isMirrorWrong(outcome: Judged, mirror: LabelledRequest['mirror']): boolean | undefined {
  if (mirror === undefined) return undefined;
  if ('truth' in outcome) return mirror.failed || differs(mirror.prediction, outcome.truth);
  return outcome.mirror === undefined ? undefined : mirror.failed || outcome.mirror;
}

const differs = (prediction: Prediction | undefined, truth: string): boolean =>
  prediction === undefined || String(prediction) !== truth;
