import { defined } from '../base/objects.ts';
import { day, durationText } from '../base/time.ts';
import { dispersionIn, type Look } from './look.ts';
import type { ColumnKind, Season } from './reference.ts';
import type { Size } from './sizes.ts';
import { sum } from './tilts.ts';

export type Level = 'notice' | 'major';

/** A window; milliseconds since the epoch, the end excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface DetectorRules {
  /** Sizes from which a change is worth a notice, and is major. */
  readonly notice: number;
  readonly major: number;
  /** So many windows pass between two false alarms, on average, at least. */
  readonly quietFor: number;
  /** How much a column counts in the evidence, relative to others; 1 where it is not named. */
  readonly weights?: Readonly<Record<string, number>>;
  /** The weight of columns that have yet to begin: their evidence is 0 until then, and counts in the mean. */
  readonly awaited?: number;
}

export interface ColumnVerdict extends Size {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Live rows of the window. */
  readonly rows: number;
  /** The mean R of its alternatives; while it is in an incident, the mean E of the window. At most 1e300. */
  readonly evidence: number;
  /** Past both gates; while it is in an incident, it still is. */
  readonly alarm?: Level;
  /** Why its false alarms are not bounded. */
  readonly notCalibrated?: string;
}

export interface Verdict {
  readonly version: 1;
  readonly window: Span;
  readonly rows: number;
  /** The weighted mean over columns, and what it has to reach. */
  readonly evidence: number;
  readonly threshold: number;
  readonly columns: readonly ColumnVerdict[];
  /** Names of columns past both gates. */
  readonly alarms: Readonly<Record<Level, readonly string[]>>;
  /** No column is past both gates. */
  readonly clean: boolean;
  /** A column that drifted, and counts, has no row: whether it still does cannot be said. */
  readonly isSilent: boolean;
  readonly calibrated: boolean;
}

/** A missing or unseen share that changed by more is worth a notice. */
const shareNotice = 0.01;
/**
 * Up to it, thinning was measured to keep false alarms rare, whatever the days are like (decisions/0084). Above it, days
 * differ so much that a reference of few of them, each like the one before, does not show how much.
 */
export const mostDispersion = 5;
const mostEvidence = 1e300;

/** What is to be said of a window: which columns are past both gates. */
export function verdictOf(
  looks: readonly Look[],
  given: { readonly window: Span; readonly rows: number; readonly rules: DetectorRules },
): Verdict {
  const { window, rows, rules } = given;
  const weights = looks.map(({ column }) => weightOf(rules, column.name));
  const all = sum(weights) + (rules.awaited ?? 0) || 1;
  const levels = looks.map(({ size }) => levelOf(size, rules));
  const evidenceOf = (counts: (index: number) => boolean): number =>
    Math.min(
      mostEvidence,
      looks.reduce(
        (total, { before, evidence }, index) =>
          total + (before.isDrifted || !counts(index) ? 0 : ((weights[index] ?? 0) / all) * evidence),
        0,
      ),
    );
  const isEvident = evidenceOf((index) => levels[index] !== undefined) >= rules.quietFor;
  const columns = looks.map((seen, index): ColumnVerdict => {
    const isPast = seen.before.isDrifted ? seen.evidence > 1 : isEvident && seen.evidence >= rules.quietFor;
    const doubt =
      weights[index] === 0 ? undefined : (weekText(seen) ?? daysText(seen) ?? seasonText(seen, window, rules));
    return columnVerdict(seen, isPast ? levels[index] : undefined, doubt);
  });
  const named = (level: Level) => columns.filter(({ alarm }) => alarm === level).map(({ name }) => name);
  return {
    version: 1,
    window,
    rows,
    evidence: evidenceOf(() => true),
    threshold: rules.quietFor,
    columns,
    alarms: { major: named('major'), notice: named('notice') },
    clean: columns.every(({ alarm }) => alarm === undefined),
    isSilent: looks.some(({ before, live }, index) => before.isDrifted && weights[index] !== 0 && sum(live) === 0),
    calibrated: columns.every(({ notCalibrated }) => notCalibrated === undefined),
  };
}

const weightOf = ({ weights = {} }: DetectorRules, name: string): number =>
  Object.hasOwn(weights, name) ? (weights[name] ?? 1) : 1;

/** The gate of size. */
function levelOf({ size, missingChange, unseenChange }: Size, { notice, major }: DetectorRules): Level | undefined {
  const share = Math.max(Math.abs(missingChange), Math.abs(unseenChange));
  if (Math.max(size, share) >= major) return 'major';
  return size >= notice || share > shareNotice ? 'notice' : undefined;
}

function columnVerdict(
  { column, live, size, evidence }: Look,
  alarm: Level | undefined,
  notCalibrated: string | undefined,
): ColumnVerdict {
  const { name, kind } = column;
  return {
    name,
    kind,
    rows: sum(live),
    ...size,
    evidence: Math.min(mostEvidence, evidence),
    ...defined({ alarm, notCalibrated }),
  };
}

const weekText = ({ column }: Look): string | undefined =>
  column.isShort
    ? 'it is compared with less than a week, so days of the week that differ look like a change'
    : undefined;

function daysText({ column, live }: Look): string | undefined {
  const dispersion = dispersionIn(column, sum(live));
  return dispersion <= mostDispersion
    ? undefined
    : `its counts vary ${Number(dispersion.toPrecision(2))} times as much from day to day as those of independent rows; how often it alarms by mistake is known up to ${mostDispersion} times`;
}

/** A window is compared with all rows, or with those of its weekday: other parts of a day or a week are not like them. */
function seasonText({ column }: Look, { start, end }: Span, { notice }: DetectorRules): string | undefined {
  const ms = end - start;
  const part = ms < day ? 'day' : ms > day && ms % (7 * day) !== 0 ? 'week' : undefined;
  const season = part === undefined ? undefined : column.seasons?.[part];
  if (season === undefined || !isSeen(season, notice)) return undefined;
  const [one, instead] = part === 'day' ? ['hours', 'a day'] : ['weekdays', 'a day or whole weeks'];
  return `its ${one} differ by up to ${Number(Math.max(season.size, season.missing).toPrecision(2))}, and the window has ${durationText(ms)}; windows of ${instead} have no such season`;
}

/** With half of it from the season, little more by chance is a change worth a notice. */
const isSeen = ({ size, missing }: Season, notice: number): boolean => size >= notice / 2 || missing >= shareNotice / 2;
