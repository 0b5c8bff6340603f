import { day } from '../base/time.ts';
import { weekdayOf } from './by-time.ts';
import { noRows } from './cells.ts';
import { after, type ColumnState, look, noWeekday, startColumn } from './look.ts';
import type { Reference, WindowCounts } from './reference.ts';
import { mostPooled } from './sizes.ts';
import { type DetectorRules, type Span, type Verdict, verdictOf } from './verdict.ts';

/** Plain numbers, bounded: about 1.3 KB of JSON a column, 2 KB with weekdays. */
export interface DetectorState {
  readonly version: 1;
  /** Weekdays of the last windows, oldest first, at most 7; 7 for a window that is longer than a day. */
  readonly days: readonly number[];
  readonly columns: readonly ColumnState[];
}

export const startDetector = (reference: Reference): DetectorState => ({
  version: 1,
  days: [],
  columns: reference.columns.map(startColumn),
});

/**
 * Judges the counts of a window of live rows against a reference, by two gates: is there evidence that anything changed,
 * and is the change large enough to matter. The same state and counts give the same verdict.
 *
 * Evidence. Each alternative of a column is a Shiryaev-Roberts e-detector that forgets: R = (1 + 27/28 R) E, which is at
 * most the R of one that does not. Without forgetting, windows that say nothing (E = 1) add up to an alarm after
 * `quietFor` of them. Where nothing changes, E[R] grows by at most 1 a window, and so do the weighted mean R of a column over its
 * alternatives and the weighted mean M of all columns, however the columns depend on each other. An alarm needs
 * M >= `quietFor`, and then all R start at 0 again. So the mean time to the first alarm is at least `quietFor` windows, and
 * alarms in t windows are at most t / `quietFor` on average (Shin, Ramdas & Rinaldo, E-detectors, arXiv:2203.03532) as long
 * as no column starts anew: one that does forgets what it learned, and the law of its next counts does not.
 * It is proved under the conditions of the urn (urn.ts): independent rows of continuous numbers without a season. For
 * categories, ties, missing values, weekdays, thinned counts and alarms after an incident the rate is measured
 * (decisions/0084).
 *
 * A column may begin later than others, as that of the model's answers does, whose reference is made of the first windows.
 * Until then it has the evidence 0 and its weight counts (`awaited`): J columns and one to come have weights of 1/(J + 1).
 * So nothing of the above changes. When it begins is decided by how many answers came, not by what they were, and its R
 * starts at 0; E[R] is then at most the windows since, which are fewer than all. A window that its reference was made of is
 * not judged on it.
 *
 * Size. Only columns whose change is large enough count for the evidence of an alarm, which makes M smaller. Evidence
 * without size does nothing, and stays.
 *
 * A column that alarmed is drifted as long as an incident is open (`isOpen`, followed in incident.ts): its urn does not
 * learn, and it is judged by each window alone. When none is open any more it starts anew.
 */
export function judgeWindow(
  state: DetectorState,
  reference: Reference,
  given: {
    readonly counts: WindowCounts;
    readonly window: Span;
    readonly rules: DetectorRules;
    /** After the windows before this one. */
    readonly isOpen: boolean;
  },
): { readonly state: DetectorState; readonly verdict: Verdict } {
  const { counts, window, rules, isOpen } = given;
  const days = [...state.days, dayOf(window)].slice(-mostPooled);
  const looks = reference.columns.map((column, index) => {
    const known = state.columns[index];
    const before = known === undefined || (known.isDrifted && !isOpen) ? startColumn(column) : known;
    return look(column, before, { counts: counts.columns[index] ?? noRows(column), days });
  });
  const verdict = verdictOf(looks, { window, rows: counts.rows, rules });
  const isAlarmed = looks.map((_, index) => verdict.columns[index]?.alarm !== undefined);
  const isNew = looks.some(({ before }, index) => isAlarmed[index] && !before.isDrifted);
  const columns = looks.map((seen, index) =>
    after(seen, { isDrifted: seen.before.isDrifted === true || isAlarmed[index] === true, keepsEvidence: !isNew }),
  );
  return { state: { version: 1, days, columns }, verdict };
}

/** The weekday of a window, Sunday first (UTC). A window longer than a day has none. */
function dayOf({ start, end }: Span): number {
  if (end - start > day) return noWeekday;
  return weekdayOf(Math.floor((start + end) / 2 / day));
}
