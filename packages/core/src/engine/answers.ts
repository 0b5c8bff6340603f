import { canonical, encodeText, type Json } from '../base/json.ts';
import { type AnswerSample, answersName, noAnswers, valueIn, withSampled } from '../drift/answers.ts';
import { countRows, emptyCounts, withCounts } from '../drift/cells.ts';
import { freeze } from '../drift/freeze.ts';
import { kindOf } from '../drift/kind.ts';
import type { DatasetProfile } from '../drift/profile.ts';
import type { Place, Profiler } from '../drift/profiler.ts';
import type { ColumnKind, WindowCounts } from '../drift/reference.ts';
import type { AnswersAsked, AnswersSeen, AnswersToFreeze } from '../model/drift/protocol.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { CapturedRequest } from '../ports/captured.ts';
import { readOf, readReference } from './profile.ts';
import { driftKey, readDrift, referenceKey, windowKey, writeDrift, writeKept } from './stored.ts';

/** Takes the answers of a part of a window. */
export interface AnswerCounter {
  add(requests: readonly CapturedRequest[]): void;
  /** Absent: there was none. */
  close(): Promise<AnswersSeen | undefined>;
}

/**
 * Answers of a version are counted on the cells of their reference, or are put into the sample of which it will be made.
 * `secret`: as for `withSampled`.
 */
export async function openAnswers(
  { of, sample, reference }: AnswersAsked,
  before: AnswersSeen | undefined,
  own: Bucket,
  secret: string,
): Promise<AnswerCounter> {
  const name = reference === undefined ? driftKey : windowKey;
  const given = { of, own, rows: before?.rows ?? 0, name };
  if (reference === undefined) {
    const begun = before?.kept ?? sample;
    const sampled = (known: AnswerSample, requests: readonly CapturedRequest[]) => withSampled(known, requests, secret);
    return counterOf(
      begun === undefined ? noAnswers : await readDrift<AnswerSample>(driftKey(begun), own),
      sampled,
      given,
    );
  }
  const frozen = await readReference(readOf(own), reference);
  const begun = before === undefined ? emptyCounts(frozen) : await readDrift<WindowCounts>(windowKey(before.kept), own);
  const count = (counts: WindowCounts, requests: readonly CapturedRequest[]): WindowCounts =>
    countRows(
      frozen,
      requests.flatMap(({ answers }) => answers.map((answer) => [valueIn(answer)])),
      [answersName],
      counts,
    );
  return counterOf(begun, count, given);
}

function counterOf<Kept>(
  begun: Kept,
  more: (kept: Kept, requests: readonly CapturedRequest[]) => Kept,
  given: {
    readonly of: string;
    readonly own: Bucket;
    readonly rows: number;
    readonly name: (digest: string) => string;
  },
): AnswerCounter {
  let [kept, rows] = [begun, given.rows];
  return {
    add(requests) {
      const its = answeredBy(requests, given.of);
      kept = more(kept, its);
      rows += its.reduce((sum, { answers }) => sum + answers.length, 0);
    },
    close: async () => (rows === 0 ? undefined : { kept: await writeDrift(kept, given.own, given.name), rows }),
  };
}

/** Where a platform does not say who answered, it counts. */
const answeredBy = (requests: readonly CapturedRequest[], of: string): readonly CapturedRequest[] =>
  requests.filter(({ deployment = of }) => deployment === of);

/** What a deployment answered to each row. A request of whose answer there is no copy has no rows here. */
export const rowByRow = (requests: readonly CapturedRequest[], of: string): readonly (Json | undefined)[] =>
  answeredBy(requests, of).flatMap(({ rows, answers, unanswered }) =>
    unanswered ? [] : Array.from({ length: Math.max(rows.length, answers.length) }, (_, row) => answers[row]),
  );

/** The reference of the answers in a sample, and its digest. Twice: the same object. */
export async function freezeAnswers(
  { sample, kind, isShort }: AnswersToFreeze,
  profiler: Profiler,
  own: Bucket,
): Promise<string> {
  const { answers } = await readDrift<AnswerSample>(driftKey(sample), own);
  const values = answers.map(([, value]) => value);
  const profile = await profiled(values, profiler);
  const cells = freeze(profile, { dataset: sample, columns: { [answersName]: kind ?? kindIn(profile) } });
  const rows = values.map((value) => [value]);
  const reference = withCounts(cells, countRows(cells, rows, [answersName]));
  const columns = reference.columns.map((column) => ({ ...column, ...(isShort ? { isShort } : {}) }));
  return writeKept(own, referenceKey, encodeText(canonical({ ...reference, columns })));
}

/** Whole numbers that hardly repeat name rows in a dataset; as answers they are numbers. */
function kindIn({ columns: [column] }: DatasetProfile): ColumnKind {
  if (column === undefined) return 'plain';
  const kind = kindOf(column);
  return kind === 'plain' && (column.numbers?.count ?? 0) > column.rows / 2 ? 'number' : kind;
}

/** What the values look like, as a dataset of one column. */
async function profiled(values: readonly Json[], profiler: Profiler): Promise<DatasetProfile> {
  const content = encodeText(values.map((value) => `${JSON.stringify({ [answersName]: value })}\n`).join(''));
  const object = {
    ...{ key: 'answers.ndjson', bytes: content.length },
    read: async (from: number, length: number) => content.subarray(from, from + length),
  };
  const given = { atMostBytes: content.length };
  let part: { readonly state?: Uint8Array; readonly next?: Place } = {};
  do {
    const { state, next } = part;
    part = await profiler.profile(object, {
      ...given,
      ...(state === undefined ? {} : { state }),
      ...(next === undefined ? {} : { from: next }),
    });
  } while (part.next !== undefined);
  return profiler.finish(part.state ?? new Uint8Array());
}
