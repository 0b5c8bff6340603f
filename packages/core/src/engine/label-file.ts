import { Fault } from '../base/fault.ts';
import { decodeText, encodeText, type Json, sha256Hex } from '../base/json.ts';
import { readLabel } from '../model/labels/label.ts';
import type { LabelCounts, LabelProgress, LabelsFound, LabelsImported } from '../model/labels/protocol.ts';
import type { Order } from '../model/protocol.ts';
import { ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import type { Label, LabelAnswer } from '../ports/telemetry.ts';

/** Keys that one look hands on: each is then read by an order of its own. */
const foundAtOnce = 100;
/** Lines that one order reads, and labels that are recorded at once. */
const linesPerPart = 10_000;
const labelsPerCall = 1000;
/** A file is held in memory while a part of it is read. */
const maxFileBytes = 64_000_000;
const maxLineBytes = 100_000;
const keptReasons = 3;

type FindOrder = Extract<Order, { kind: 'findLabels' }>;
type ImportOrder = Extract<Order, { kind: 'importLabels' }>;

/**
 * Files of one page of the listing, after a key on it, that were not imported in their present version: 100 at most.
 * Where the look goes on is in the answer; a page whose key is gone is begun again.
 */
export async function findLabels(
  { model, bucket, prefix, cursor, after }: FindOrder,
  ports: Ports,
): Promise<LabelsFound> {
  const page = await unlessBusy(ports.bucket(bucket).list(prefix, cursor));
  if (page === 'busy') return page;
  const files: string[] = [];
  for (const { key, version } of page.items.slice(page.items.findIndex(({ key }) => key === after) + 1)) {
    if (files.length === foundAtOnce)
      return { files, ...(cursor === undefined ? {} : { cursor }), after: files.at(-1) ?? '', ended: false };
    if ((await importedBefore(ports, markOf(model, bucket, key, version))) === undefined) files.push(key);
  }
  return { files, ...(page.next === undefined ? {} : { cursor: page.next }), ended: page.next === undefined };
}

/**
 * Records the labels of a part of a file, and how far it came; `gone`: there is no such object, or not any more in the
 * version that was begun.
 *
 * A file that was read to its end leaves a mark in the project's own bucket, with its counts: read again, also after a
 * lost answer, it answers from there. A part that is read twice counts its labels as duplicates the second time. Lines
 * that are not a label are counted, with a reason, and the others of the file hold.
 */
export async function importLabels(order: ImportOrder, ports: Ports): Promise<LabelsImported> {
  const { model, bucket, file } = order;
  const wanted = {
    key: file,
    maxBytes: maxFileBytes,
    ...(order.version === undefined ? {} : { version: order.version }),
  };
  const object = await unlessBusy(ports.bucket(bucket).read(wanted));
  if (object === 'busy') return object;
  if (object === undefined) return 'gone';
  const { version, content } = object;
  const mark = markOf(model, bucket, file, version);
  const before = await importedBefore(ports, mark);
  const start = { version, offset: order.offset, line: order.line, counts: order.counts };
  if (before !== undefined) return { ...start, counts: before, ended: true };
  const progress = object.truncated
    ? { ...start, counts: withBad(start.counts, `larger than ${maxFileBytes} bytes: split it`), ended: true }
    : await recordPart(content, start, ports);
  if (progress.ended) await ports.bucket(ownBucket).write(mark, encodeText(JSON.stringify(progress.counts)));
  return progress;
}

/** An object that is being written is not a failure. It will be complete soon, and other files do not wait for it. */
async function unlessBusy<Found>(finding: Promise<Found>): Promise<Found | 'busy'> {
  try {
    return await finding;
  } catch (error) {
    if (error instanceof Fault && error.code === 'unavailable') return 'busy';
    throw error;
  }
}

const markOf = (model: string, ...object: readonly string[]): string =>
  `labels/${model}/${sha256Hex(JSON.stringify(object))}.json`;

async function importedBefore(ports: Ports, mark: string): Promise<LabelCounts | undefined> {
  const object = await ports.bucket(ownBucket).read({ key: mark, maxBytes: 100_000 });
  // Written by `importLabels`.
  return object === undefined ? undefined : (JSON.parse(decodeText(object.content)) as LabelCounts);
}

async function recordPart(
  content: Uint8Array,
  { version, ...from }: Omit<LabelProgress, 'ended'>,
  ports: Ports,
): Promise<LabelProgress> {
  let { offset, line, counts } = from;
  const last = line + linesPerPart;
  let waiting: Label[] = [];
  const record = async (): Promise<void> => {
    if (waiting.length > 0) counts = withAnswers(counts, await ports.labels.label(waiting));
    waiting = [];
  };
  while (offset < content.length && line < last) {
    const found = content.indexOf(0x0a, offset);
    const end = found < 0 ? content.length : found;
    line += 1;
    const read = labelIn(content.subarray(offset, end));
    if (typeof read === 'string') counts = withBad(counts, `line ${line}: ${read}`);
    else if (read !== undefined) waiting.push(read);
    if (waiting.length === labelsPerCall) await record();
    offset = end + 1;
  }
  await record();
  return { version, offset, line, counts, ended: offset >= content.length };
}

/** The label of a line, what is wrong with it, or nothing for an empty line. The text of the line goes nowhere else. */
function labelIn(bytes: Uint8Array): Label | string | undefined {
  if (bytes.length > maxLineBytes) return `longer than ${maxLineBytes} bytes`;
  const text = decodeText(bytes).trim();
  if (text === '') return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return 'is not JSON';
  }
  const read = readLabel(value);
  if ('label' in read) return read.label;
  const [problem] = read.problems;
  return [...(problem?.path ?? []), problem?.message].join(': ');
}

function withAnswers(counts: LabelCounts, answers: readonly LabelAnswer[]): LabelCounts {
  const sums = { ...counts };
  for (const answer of answers) sums[answer] += 1;
  return sums;
}

const withBad = (counts: LabelCounts, reason: string): LabelCounts => ({
  ...counts,
  bad: counts.bad + 1,
  reasons: counts.reasons.length < keptReasons ? [...counts.reasons, reason.slice(0, 200)] : counts.reasons,
});
