import { canonical, type Json, sha256Hex } from '../base/json.ts';
import { own } from '../base/objects.ts';

/**
 * The answers of a model are a column like its features. Nobody has a training reference of them, so those of the first
 * windows of a version are what later ones are compared with: a version that is wrong from its first day is its own
 * reference, and this column does not see it.
 */

/** The column's name. The config refuses it as the name of a feature, and no column of a dataset that has it is compared. */
export const answersName = '(answers)';
export const answersWords = "the model's answers";

/** A column where only its name is shown. */
export const columnLabel = (name: string): string => (name === answersName ? answersWords : name);
/** A column as a sentence names it. */
export const columnWords = (name: string): string =>
  name === answersName ? answersWords : `column ${name.replace(/\s+/g, ' ').slice(0, 60)}`;

/** A reference has at least so many answers, of one whole window at least. */
export const enoughAnswers = 1000;
/** And is made of so many at most. */
const mostAnswers = 10_000;

/** A request and what was answered, row by row. */
interface Answered {
  readonly requestId?: string;
  readonly at: number;
  readonly rows: readonly Json[];
  readonly answers: readonly Json[];
}

/** The answers whose hash is lowest, by hash. */
export interface AnswerSample {
  readonly version: 1;
  readonly answers: readonly (readonly [hash: string, value: Json])[];
}

export const noAnswers: AnswerSample = { version: 1, answers: [] };

/**
 * A sample of the answers of two and more pages; at most 10,000, of all with the same chance. The same request twice is
 * in it once, so what is counted again changes nothing. The hash is of the request, its time and the place of the row, and
 * does not know the answer: a sample chosen so is like all. `secret`, the same for all pages, is not known to who sends
 * requests: on a cloud the sender gives them their ids, and could choose such as come into the sample, or do not.
 */
export function withSampled({ answers }: AnswerSample, requests: readonly Answered[], secret: string): AnswerSample {
  let known = new Map(answers);
  let highest = highestOf(answers);
  for (const request of requests) {
    const hash = hashesOf(request, secret);
    for (const [place, answer] of request.answers.entries()) {
      const at = hash(place, highest);
      if (at !== undefined) known.set(at, valueIn(answer));
    }
    if (known.size < 2 * mostAnswers) continue;
    const kept = lowest(known);
    known = new Map(kept);
    highest = highestOf(kept);
  }
  return { version: 1, answers: lowest(known) };
}

const lowest = (known: ReadonlyMap<string, Json>): AnswerSample['answers'] =>
  [...known].sort(([one], [other]) => (one < other ? -1 : 1)).slice(0, mostAnswers);

/** The first eight digits of a hash that may still be among the lowest. */
const highestOf = (kept: AnswerSample['answers']): number =>
  kept.length < mostAnswers ? 0xffffffff : Number.parseInt(kept.at(-1)?.[0].slice(0, 8) ?? '', 16);

/**
 * By the place of a row, 16 hexadecimal digits; `undefined`: it is over `highest`. A platform that gives no id has the
 * first row for it.
 */
function hashesOf(
  { requestId, at, rows }: Answered,
  secret: string,
): (place: number, highest: number) => string | undefined {
  const request = sha256Hex(`${secret} ${at} ${requestId ?? canonical(rows[0])}`);
  const high = Number.parseInt(request.slice(0, 8), 16);
  const low = Number.parseInt(request.slice(8, 16), 16);
  return (place, highest) => {
    const first = mixed(high ^ place);
    return first > highest ? undefined : hex(first) + hex(mixed(low ^ place));
  };
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');

/** Each bit depends on each, and no two numbers of 32 bits become one: the end of MurmurHash3 (public domain). */
function mixed(word: number): number {
  let bits = word;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** An answer of none of the forms that are read: a value that no column can hold. */
const unread: Json = [];

/** What holds the answer in an object of several fields, the first that is there. */
const fields = [
  ...['label', 'predicted_label', 'class', 'prediction', 'predicted', 'value', 'answer', 'output', 'result'],
  ...['score', 'probability', 'probabilities', 'scores'],
] as const;

/**
 * The one value of an answer that is counted:
 *
 * - a number, a text, a boolean: itself. - A list of one: what it holds. - A list of probabilities (they sum to 1): of two
 * the second, which is that of the positive class; of more the class that wins, as `class 2`, counted from 0. - An object:
 * its label where it has one, else its value or score; its only field; of probabilities by name the name that wins.
 *
 * `null`: there is none. Other lists and objects are values that no column can hold.
 */
export function valueIn(answer: Json): Json {
  if (answer === null || typeof answer !== 'object') return answer;
  if (isList(answer)) {
    if (answer.length === 1) return valueIn(answer[0] ?? null);
    if (!areShares(answer)) return unread;
    return answer.length === 2 ? (answer[1] ?? null) : `class ${placeOfMost(answer)}`;
  }
  const named = fields.map((field) => own(answer, field)).find((value) => value !== undefined);
  if (named !== undefined) return valueIn(named);
  const [names, values] = [Object.keys(answer), Object.values(answer)];
  if (values.length === 1) return valueIn(values[0] ?? null);
  return areShares(values) ? (names[placeOfMost(values)] ?? null) : unread;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** Probabilities, of which some models write two digits. */
const areShares = (values: readonly Json[]): values is readonly number[] =>
  values.length > 1 &&
  values.every((value) => typeof value === 'number' && value >= 0 && value <= 1) &&
  Math.abs((values as readonly number[]).reduce((sum, value) => sum + value, 0) - 1) <= 0.015; // as was just asked

const placeOfMost = (values: readonly number[]): number => values.indexOf(Math.max(...values));
