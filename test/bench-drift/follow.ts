import { type DetectorState, judgeWindow, startDetector } from '@serin/core/drift/detector';
import type { Incident } from '@serin/core/drift/incident';
import type { Reference, WindowCounts } from '@serin/core/drift/reference';
import type { DetectorRules, Verdict } from '@serin/core/drift/verdict';
import { followed } from '../../packages/core/src/drift/drift.fixture.ts';
import { planOf } from '../../packages/core/src/model/model.fixture.ts';

const { notice, major, quietFor } =
  planOf({ monitor: { capture: { share: '10%', fields: ['x'] }, drift: {} } }).monitor.drift ?? {};
if (notice === undefined || major === undefined || quietFor === undefined)
  throw new Error("the config's defaults have no drift: see packages/core/src/config/schema.ts");

/** What a config judges by that says `drift: {}`. */
export const shipped: DetectorRules = { notice, major, quietFor };
/** The first gate alone: any size is enough. */
export const evidenceAlone: DetectorRules = { ...shipped, notice: 1e-12 };

export const dayMs = 86_400_000;

export interface Judged {
  readonly verdict: Verdict;
  /** An incident was opened by this window. */
  readonly opens: boolean;
}

/** The product's detector over one window after another, `length` days each; one `day` is the first of its window. */
export function judging(reference: Reference, rules: DetectorRules = shipped, length = 1) {
  let state: DetectorState = startDetector(reference);
  let incident: Incident | undefined;
  return (counts: WindowCounts, day: number): Judged => {
    const before = incident?.since;
    const window = { start: day * dayMs, end: (day + length) * dayMs };
    const judged = judgeWindow(state, reference, { counts, window, rules, isOpen: incident !== undefined });
    state = judged.state;
    incident = followed(incident, judged.verdict);
    return { verdict: judged.verdict, opens: incident !== undefined && incident.since !== before };
  };
}
