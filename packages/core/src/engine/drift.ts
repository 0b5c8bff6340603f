import { decodeText, encodeText } from '../base/json.ts';
import { defined } from '../base/objects.ts';
import { countRows } from '../drift/cells.ts';
import { type DetectorState, judgeWindow, startDetector } from '../drift/detector.ts';
import type { ColumnCounts, Reference, WindowCounts } from '../drift/reference.ts';
import type { ColumnVerdict, Verdict } from '../drift/verdict.ts';
import type { ColumnSeen, Counted, Judged } from '../model/drift/protocol.ts';
import type { Order } from '../model/protocol.ts';
import { type Bucket, ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { readOf, readReference } from './profile.ts';
import { driftKey, readKept, writeKept } from './stored.ts';

/** Pages of captured requests that one order counts: a few seconds. */
const pagesPerPart = 20;

type CountOrder = Extract<Order, { kind: 'countCaptured' }>;

/**
 * Counts a part of a window on the cells of its reference, and where the rest begins.
 *
 * The counts are an object that is named by its digest, so a part that is counted twice, or whose answer was lost,
 * leaves the same object.
 */
export async function countCaptured(
  { endpoint, on = 'endpoint', from, to, fields, reference, counted, cursor }: CountOrder,
  ports: Ports,
): Promise<{ readonly counted: Counted; readonly cursor?: string }> {
  const own = ports.bucket(ownBucket);
  const frozen = await readReference(readOf(own), reference);
  const telemetry = ports.telemetry(on);
  let counts = counted === undefined ? undefined : await readDrift<WindowCounts>(counted.counts, own);
  let { unread } = counted ?? {};
  let next = cursor;
  for (let page = 0; page < pagesPerPart; page += 1) {
    const query = { endpoint, from, to, fields, ...defined({ cursor: next }) };
    const { items, next: after, unread: failed } = await telemetry.captured(query);
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
    counted: { counts: await writeDrift(whole, own), rows: whole.rows, ...defined({ unread }) },
    ...defined({ cursor: next }),
  };
}

type JudgeOrder = Extract<Order, { kind: 'judgeDrift' }>;

/** Judges a window that was counted. Twice: the same verdict, and the same object with what the detector knows now. */
export async function judgeDrift(
  { reference, detector, counted, from, to, fields, rules, isOpen }: JudgeOrder,
  ports: Ports,
): Promise<{ readonly detector: string; readonly judged: Judged }> {
  const own = ports.bucket(ownBucket);
  const frozen = await readReference(readOf(own), reference);
  const counts = await readDrift<WindowCounts>(counted.counts, own);
  const known = detector === undefined ? startDetector(frozen) : await readDrift<DetectorState>(detector, own);
  // What no request holds, such as the label, is no column of the monitor.
  const unasked = frozen.columns.filter(({ name }) => !fields.includes(name));
  const weights = Object.fromEntries(unasked.map(({ name }) => [name, 0]));
  const window = { start: from, end: to };
  const { state, verdict } = judgeWindow(known, frozen, {
    counts,
    window,
    rules: { ...rules, weights },
    isOpen: isOpen === true,
  });
  return { detector: await writeDrift(state, own), judged: shortOf(verdict, frozen, counts) };
}

const keptColumns = 20;
/** Beyond it nobody asks how much. */
const mostEvidence = 1e9;
const shown = (evidence: number): number => Number(Math.min(mostEvidence, evidence).toPrecision(4));
const longestName = 200;

/** What the state of a model keeps of a verdict: bounded, whatever the number of columns. */
function shortOf(
  { evidence, threshold, columns, alarms, isSilent }: Verdict,
  frozen: Reference,
  counts: WindowCounts,
): Judged {
  const named = columns.map((column, index) => seenOf(column, frozen.columns[index], counts.columns[index]));
  const isAlarm = new Set([...alarms.major, ...alarms.notice]);
  const rank = (name: string): number => (alarms.major.includes(name) ? 2 : isAlarm.has(name) ? 1 : 0);
  const largest = columns
    .map((column, index) => ({ column, seen: named[index] }))
    .filter(({ column: { rows } }) => rows > 0)
    .sort((one, other) => rank(other.column.name) - rank(one.column.name) || other.column.size - one.column.size)
    .slice(0, keptColumns);
  const reason = columns.find(({ notCalibrated }) => notCalibrated !== undefined);
  // A large change that may well be the usual noise of days is told, and buys nothing.
  const isSure = columns.some(({ alarm, notCalibrated }) => alarm === 'major' && notCalibrated === undefined);
  return {
    evidence: shown(evidence),
    threshold,
    columns: largest.flatMap(({ seen }) => seen ?? []),
    alarms: [...alarms.major, ...alarms.notice].slice(0, keptColumns),
    ...(isAlarm.size === 0 ? {} : { level: isSure ? 'major' : 'notice' }),
    ...(isSilent ? { isSilent } : {}),
    ...defined({ uncalibrated: reason && `'${reason.name.slice(0, longestName)}': ${reason.notCalibrated}` }),
  };
}

const seenOf = (
  { name, kind, size, evidence }: ColumnVerdict,
  before: ColumnCounts | undefined,
  now: ColumnCounts | undefined,
): ColumnSeen => ({
  name,
  ...(kind === 'plain' ? {} : { size }),
  evidence: shown(evidence),
  missing: [missingShare(before), missingShare(now)],
});

const missingShare = (counts: ColumnCounts | undefined): number =>
  counts === undefined || counts.rows === 0 ? 0 : (counts.missing + counts.mistyped) / counts.rows;

async function readDrift<Kind>(digest: string, own: Bucket): Promise<Kind> {
  return JSON.parse(decodeText(await readKept(readOf(own), driftKey(digest)))) as Kind; // written below, as the digest says
}

const writeDrift = (value: unknown, own: Bucket): Promise<string> =>
  writeKept(own, driftKey, encodeText(JSON.stringify(value)));
