import { defined } from '../base/objects.ts';
import { answersName } from '../drift/answers.ts';
import { countRows, emptyCounts, noRows } from '../drift/cells.ts';
import { type DetectorState, judgeWindow, startDetector } from '../drift/detector.ts';
import { noProbabilities, withProbabilities } from '../drift/estimate.ts';
import type { Profiler } from '../drift/profiler.ts';
import type { ColumnCounts, Reference, WindowCounts } from '../drift/reference.ts';
import { shortName } from '../drift/report.ts';
import type { ColumnVerdict, Verdict } from '../drift/verdict.ts';
import type { ColumnSeen, Counted, Judged } from '../model/drift/protocol.ts';
import type { Order } from '../model/protocol.ts';
import { type Bucket, ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { freezeAnswers, openAnswers, rowByRow } from './answers.ts';
import { readOf, readReference } from './profile.ts';
import { findDrift, readDrift, unfinishedCountsKey, windowKey, writeDrift } from './stored.ts';

/** Pages of captured requests that one order counts: a few seconds. */
const pagesPerPart = 20;

type CountOrder = Extract<Order, { kind: 'countCaptured' }>;

/**
 * Counts a part of a window on the cells of its reference, and where the rest begins.
 *
 * The counts are an object that is named by its digest, so a part that is counted twice, or whose answer was lost,
 * leaves the same object. Where the counts of the parts before are gone, the window is counted from its beginning.
 */
export async function countCaptured(
  {
    endpoint,
    on = 'endpoint',
    from,
    to,
    fields,
    reference,
    answers: asked,
    probabilities: place,
    ...begun
  }: CountOrder,
  ports: Ports,
): Promise<{ readonly counted: Counted; readonly cursor?: string }> {
  const own = ports.bucket(ownBucket);
  const frozen = await readReference(readOf(own), reference);
  const telemetry = ports.telemetry(on);
  const { counted, cursor } = begun;
  let counts = counted && (await findDrift<WindowCounts>(unfinishedCountsKey(counted.counts), own));
  // A digest of the training data is known to who may read the model, and not to who asks it for predictions.
  const answers = asked && (await openAnswers(asked, counts && counted?.answers, own, reference));
  let [unread, next] = counts === undefined ? [] : [counted?.unread, cursor];
  let probabilities = counts && counted?.probabilities;
  for (let page = 0; page < pagesPerPart; page += 1) {
    const query = { endpoint, from, to, fields, ...defined({ cursor: next }) };
    const { items, next: after, unread: failed } = await telemetry.captured(query);
    answers?.add(items);
    if (place !== undefined)
      probabilities = withProbabilities(probabilities ?? noProbabilities, rowByRow(items, place.of), place);
    counts = countRows(
      frozen,
      items.flatMap(({ rows }) => rows),
      fields,
      counts,
    );
    if (failed !== undefined)
      unread = { requests: (unread?.requests ?? 0) + failed.requests, first: unread?.first ?? failed.first };
    next = after;
    if (next === undefined) break;
  }
  const whole = counts ?? countRows(frozen, [], fields);
  return {
    counted: {
      counts: await writeDrift(whole, own, next === undefined ? windowKey : unfinishedCountsKey),
      rows: whole.rows,
      ...defined({ unread, answers: await answers?.close(), probabilities }),
    },
    ...defined({ cursor: next }),
  };
}

type JudgeOrder = Extract<Order, { kind: 'judgeDrift' }>;

/**
 * Judges a window that was counted, and makes the reference of the answers once there are enough. Twice: the same verdict,
 * and the same objects.
 */
export async function judgeDrift(
  { reference, detector, counted, from, to, fields, rules, isOpen, answers }: JudgeOrder,
  ports: Ports,
  profiler: () => Promise<Profiler>,
): Promise<{ readonly detector: string; readonly judged: Judged; readonly answers?: string }> {
  const own = ports.bucket(ownBucket);
  const frozen = await readReference(readOf(own), reference);
  const asked = new Set(fields);
  const counts = onlyOf(asked, frozen, await readDrift<WindowCounts>(windowKey(counted.counts), own));
  const all =
    answers?.reference === undefined
      ? { frozen, counts }
      : await withAnswers({ frozen, counts }, answers.reference, counted.answers?.kept, own);
  const known = detector && (await findDrift<DetectorState>(windowKey(detector), own));
  // What no request holds, such as the label, is no column of the monitor.
  const unasked = frozen.columns.filter(({ name }) => !asked.has(name));
  const weights = Object.fromEntries(unasked.map(({ name }) => [name, 0]));
  const awaited = answers !== undefined && answers.reference === undefined ? 1 : 0;
  const { state, verdict } = judgeWindow(known || startDetector(all.frozen), all.frozen, {
    ...{ counts: all.counts, window: { start: from, end: to } },
    ...{ rules: { ...rules, weights, awaited }, isOpen: isOpen === true },
  });
  const made = answers?.freeze && (await freezeAnswers(answers.freeze, await profiler(), own));
  return {
    detector: await writeDrift(state, own, windowKey),
    judged: { ...shortOf(verdict, all.frozen, all.counts), ...absentIn(frozen, fields) },
    ...defined({ answers: made }),
  };
}

/** What was counted before the config had a column off is not judged either. */
const onlyOf = (asked: ReadonlySet<string>, { columns }: Reference, counts: WindowCounts): WindowCounts => ({
  ...counts,
  columns: columns.map((column, at) => (asked.has(column.name) && counts.columns[at]) || noRows(column)),
});

interface Compared {
  readonly frozen: Reference;
  readonly counts: WindowCounts;
}

/** With the answers as the last column. */
async function withAnswers(
  { frozen, counts }: Compared,
  reference: string,
  kept: string | undefined,
  own: Bucket,
): Promise<Compared> {
  const answers = await readReference(readOf(own), reference);
  const seen = kept === undefined ? emptyCounts(answers) : await readDrift<WindowCounts>(windowKey(kept), own);
  return {
    frozen: { ...frozen, columns: [...frozen.columns, ...answers.columns] },
    counts: { ...counts, columns: [...counts.columns, ...seen.columns] },
  };
}

const keptColumns = 20;
/** Beyond it nobody asks how much. */
const mostEvidence = 1e9;
const shown = (evidence: number): number => Number(Math.min(mostEvidence, evidence).toPrecision(4));

/** What the state of a model keeps of a verdict: bounded, whatever the number of columns. */
function shortOf(
  { evidence, threshold, columns, alarms, isSilent }: Verdict,
  frozen: Reference,
  counts: WindowCounts,
): Judged {
  const named = columns.map((column, index) => seenOf(column, frozen.columns[index], counts.columns[index]));
  const isAlarm = new Set([...alarms.major, ...alarms.notice]);
  const isMajor = new Set(alarms.major);
  const rank = (name: string): number => (isMajor.has(name) ? 3 : isAlarm.has(name) ? 2 : name === answersName ? 1 : 0);
  const largest = columns
    .map((column, index) => ({ column, seen: named[index] }))
    .filter(({ column: { rows } }) => rows > 0)
    .sort((one, other) => rank(other.column.name) - rank(one.column.name) || other.column.size - one.column.size)
    .slice(0, keptColumns);
  // Of the answers it is said beside what they are compared with.
  const reason = columns.find(({ name, notCalibrated }) => notCalibrated !== undefined && name !== answersName);
  // A large change that may well be the usual noise of days is told, and buys nothing.
  const isSure = columns.some(({ alarm, notCalibrated }) => alarm === 'major' && notCalibrated === undefined);
  return {
    evidence: shown(evidence),
    threshold,
    columns: largest.flatMap(({ seen }) => seen ?? []),
    alarms: largest.flatMap(({ column: { name } }) => (isAlarm.has(name) ? [shortName(name)] : [])),
    ...(isAlarm.size === 0 ? {} : { level: isSure ? 'major' : 'notice' }),
    ...(isSilent ? { isSilent } : {}),
    ...defined({ uncalibrated: reason && `'${shortName(reason.name)}': ${reason.notCalibrated}` }),
  };
}

function absentIn({ columns }: Reference, fields: readonly string[]): Pick<Judged, 'absent'> {
  const known = new Set(columns.map(({ name }) => name));
  const absent = fields.filter((name) => !known.has(name)).slice(0, keptColumns);
  return absent.length === 0 ? {} : { absent: absent.map(shortName) };
}

const seenOf = (
  { name, kind, size, evidence }: ColumnVerdict,
  before: ColumnCounts | undefined,
  now: ColumnCounts | undefined,
): ColumnSeen => ({
  name: shortName(name),
  ...(kind === 'plain' ? {} : { size }),
  evidence: shown(evidence),
  missing: [missingShare(before), missingShare(now)],
});

const missingShare = (counts: ColumnCounts | undefined): number =>
  counts === undefined || counts.rows === 0 ? 0 : (counts.missing + counts.mistyped) / counts.rows;
