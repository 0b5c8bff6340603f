import { Fault } from '../base/fault.ts';
import { decodeText, encodeText, sha256Hex } from '../base/json.ts';
import { defined } from '../base/objects.ts';
import { countRows } from '../drift/cells.ts';
import { type DetectorState, judgeWindow, startDetector } from '../drift/detector.ts';
import type { ColumnCounts, Reference, WindowCounts } from '../drift/reference.ts';
import type { ColumnVerdict, Verdict } from '../drift/verdict.ts';
import type { ColumnSeen, Counted, Judged } from '../model/drift/protocol.ts';
import type { Order } from '../model/protocol.ts';
import { ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { readNamed } from './stored.ts';

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
  const frozen = await readStored<Reference>(`references/${reference}.json`, ports);
  const telemetry = ports.telemetry(on);
  let counts =
    counted === undefined ? undefined : await readStored<WindowCounts>(`drift/${counted.counts}.json`, ports);
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
    counted: { counts: await writeStored('drift', whole, ports), rows: whole.rows, ...defined({ unread }) },
    ...defined({ cursor: next }),
  };
}

type JudgeOrder = Extract<Order, { kind: 'judgeDrift' }>;

/** Judges a window that was counted. Twice: the same verdict, and the same object with what the detector knows now. */
export async function judgeDrift(
  { reference, detector, counted, from, to, rules }: JudgeOrder,
  ports: Ports,
): Promise<{ readonly detector: string; readonly judged: Judged }> {
  const frozen = await readStored<Reference>(`references/${reference}.json`, ports);
  const counts = await readStored<WindowCounts>(`drift/${counted.counts}.json`, ports);
  const known =
    detector === undefined ? startDetector(frozen) : await readStored<DetectorState>(`drift/${detector}.json`, ports);
  const { state, verdict } = judgeWindow(known, frozen, { counts, window: { start: from, end: to }, rules });
  return { detector: await writeStored('drift', state, ports), judged: shortOf(verdict, frozen, counts) };
}

const keptColumns = 20;
const longestName = 200;

/** What the state of a model keeps of a verdict: bounded, whatever the number of columns. */
function shortOf({ evidence, threshold, columns, alarms }: Verdict, frozen: Reference, counts: WindowCounts): Judged {
  const named = columns.map((column, index) => seenOf(column, frozen.columns[index], counts.columns[index]));
  const isAlarm = new Set([...alarms.major, ...alarms.notice]);
  const rank = (name: string): number => (alarms.major.includes(name) ? 2 : isAlarm.has(name) ? 1 : 0);
  const largest = columns
    .map((column, index) => ({ column, seen: named[index] }))
    .filter(({ column: { rows } }) => rows > 0)
    .sort((one, other) => rank(other.column.name) - rank(one.column.name) || other.column.size - one.column.size)
    .slice(0, keptColumns);
  const reason = columns.find(({ notCalibrated }) => notCalibrated !== undefined);
  return {
    evidence,
    threshold,
    columns: largest.flatMap(({ seen }) => seen ?? []),
    alarms: [...alarms.major, ...alarms.notice].slice(0, keptColumns),
    ...(alarms.major.length > 0 ? { level: 'major' } : alarms.notice.length > 0 ? { level: 'notice' } : {}),
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
  evidence,
  missing: [missingShare(before), missingShare(now)],
});

const missingShare = (counts: ColumnCounts | undefined): number =>
  counts === undefined || counts.rows === 0 ? 0 : (counts.missing + counts.mistyped) / counts.rows;

/** What an object of the own bucket says that is named by its digest; `invalid`: it is gone or was changed. */
async function readStored<Kind>(key: string, ports: Ports): Promise<Kind> {
  const content = await readNamed((name, maxBytes) => ports.bucket(ownBucket).read({ key: name, maxBytes }), key);
  if (content === undefined)
    throw new Fault(
      'invalid',
      `${key} is not in the bucket '${ownBucket}'; restore it from a backup, or start a run: its version has a reference of its own`,
    );
  return JSON.parse(decodeText(content)) as Kind; // written by Serin
}

async function writeStored(folder: 'drift', value: unknown, ports: Ports): Promise<string> {
  const content = encodeText(JSON.stringify(value));
  const digest = sha256Hex(content);
  await ports.bucket(ownBucket).write(`${folder}/${digest}.json`, content);
  return digest;
}
