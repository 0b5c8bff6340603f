import type { LabelOutcome, LabelTick } from '@serin/core/ports/telemetry';
import type { Assignment, Prediction } from './assignments.ts';

/** As it is kept: a truth is its text. */
export type StoredOutcome = { readonly truth: string } | Exclude<LabelOutcome, { truth: unknown }>;

interface Row {
  readonly deployment: string;
  readonly weight: number;
  requests: number;
  labelled: number;
  wrong: number;
}

/** Equal for outcomes that say the same. */
export function outcomeText(outcome: LabelOutcome): string {
  if ('truth' in outcome) return JSON.stringify({ truth: String(outcome.truth) });
  if ('loss' in outcome) return JSON.stringify({ loss: outcome.loss });
  const { wrong, mirror } = outcome;
  return JSON.stringify({ wrong, mirror });
}

/**
 * The counts of a tick, from the requests that were routed in it and the outcomes that came in time, by request id.
 *
 * A prediction and a truth are compared as text: `1` is the same as `"1"`, and `true` as `"true"`, but `"1.0"` is not
 * `1`. Under a truth an answer that was an error, or in which no prediction could be read, is wrong: a deployment does
 * not escape by answering in another form. `wrong` is the sender's word, also about an error.
 *
 * A pair is a mirrored request whose label speaks of both answers: a truth, or `wrong` with `mirror`. A mirror that
 * failed is wrong whatever the sender says of it.
 */
export function labelTick(
  start: number,
  assigned: readonly Assignment[],
  outcomes: ReadonlyMap<string, StoredOutcome>,
): LabelTick {
  const rows = new Map<string, Row>();
  const losses: LabelTick['losses'][number][] = [];
  const pairs = new Map<string, { mirror: number; served: number }>();
  for (const assignment of assigned) {
    const { deployment, weight, mirror } = assignment;
    const key = `${weight} ${deployment}`;
    const row = rows.get(key) ?? { deployment, weight, requests: 0, labelled: 0, wrong: 0 };
    rows.set(key, row);
    row.requests += 1;
    const outcome = outcomes.get(assignment.requestId);
    if (outcome === undefined) continue;
    if ('loss' in outcome) {
      losses.push({ deployment, weight, loss: outcome.loss });
      continue;
    }
    const wrong = isWrong(outcome, assignment);
    row.labelled += 1;
    if (wrong) row.wrong += 1;
    const mirrorWrong = isMirrorWrong(outcome, mirror);
    if (mirror === undefined || mirrorWrong === undefined || mirrorWrong === wrong) continue;
    const pair = pairs.get(mirror.deployment) ?? { mirror: 0, served: 0 };
    pairs.set(mirror.deployment, pair);
    pair[wrong ? 'served' : 'mirror'] += 1;
  }
  return { start, rows: [...rows.values()], losses, pairs: Object.fromEntries(pairs) };
}

type Judged = Exclude<StoredOutcome, { loss: unknown }>;

const isWrong = (outcome: Judged, { errored, prediction }: Assignment): boolean =>
  'truth' in outcome ? errored || differs(prediction, outcome.truth) : outcome.wrong;

/** `undefined`: there is no mirror, or the label does not speak of it. */
function isMirrorWrong(outcome: Judged, mirror: Assignment['mirror']): boolean | undefined {
  if (mirror === undefined) return undefined;
  if ('truth' in outcome) return mirror.failed || differs(mirror.prediction, outcome.truth);
  return outcome.mirror === undefined ? undefined : mirror.failed || outcome.mirror;
}

const differs = (prediction: Prediction | undefined, truth: string): boolean =>
  prediction === undefined || String(prediction) !== truth;
