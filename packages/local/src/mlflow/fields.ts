import { forbidden, wrong } from './refused.ts';

/** What a client sent, from the body or the query; fields that nobody asks for are ignored, as MLflow does. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Pair {
  readonly key: string;
  readonly value: string;
}

export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw wrong(`'${name}' is ${typeof value}; send a text`);
}

export function textOf(fields: Fields, name: string, longest = 500): string {
  const value = optionalText(fields, name);
  if (value === undefined) throw wrong(`a value for the required parameter '${name}' is missing; send it`);
  return bounded(name, value, longest);
}

/** int64 comes as a number or, as protobuf's JSON has it, as a text. */
export function optionalInt(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw wrong(`'${name}' is '${String(value).slice(0, 50)}'; send a whole number`);
}

/** One of a repeated field, or of a query that names it several times. */
export function listOf(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export const textsOf = (fields: Fields, name: string): readonly string[] =>
  listOf(fields, name).map((value) => {
    if (typeof value === 'string') return value;
    throw wrong(`'${name}' holds ${typeof value}; send texts`);
  });

export const recordsOf = (fields: Fields, name: string): readonly Fields[] =>
  listOf(fields, name).map((value) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
    throw wrong(`'${name}' holds ${typeof value}; send objects`);
  });

/**
 * Limits of MLflow: a key of 250 characters, a value of a param of 6000, of a tag of 8000.
 * https://github.com/mlflow/mlflow/blob/master/mlflow/utils/validation.py
 */
const longestKey = 250;
export const longest = { param: 6000, tag: 8000, alias: 255 } as const;

/** Lets through what MLflow lets through: a path that stays below its folder, of its own characters. */
export function keyOf(fields: Fields, name = 'key'): string {
  const key = textOf(fields, name, longestKey);
  const parts = key.split('/');
  if (/[\p{Cc}]/u.test(key) || key.startsWith('/') || parts.some((part) => part === '.' || part === '..'))
    throw wrong(`the ${name} ${JSON.stringify(key)} is not valid; leave out '..' and control characters`);
  return key;
}

export function pairOf(fields: Fields, kind: keyof typeof longest): Pair {
  const value = fields.value ?? '';
  if (typeof value !== 'string') throw wrong(`the value of a ${kind} is ${typeof value}; send a text`);
  const key = keyOf(fields);
  return { key, value: bounded(`${kind} '${key}'`, value, longest[kind]) };
}

/** A tag that a client gives to what is of Serin, which says itself what it knows of it. */
export function tagOf(fields: Fields): Pair {
  const tag = pairOf(fields, 'tag');
  if (tag.key.startsWith('serin.')) throw forbidden(`the tag '${tag.key}' is written by Serin; use another key`);
  return tag;
}

export function bounded(what: string, value: string, most: number): string {
  if (value.length > most)
    throw wrong(`'${what}' has ${value.length} characters, and the limit is ${most}; shorten it`);
  return value;
}

export interface Point {
  readonly key: string;
  /** A number, or one of the words NaN, Infinity and -Infinity. */
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number;
}

const words = ['NaN', 'Infinity', '-Infinity'];

export function pointOf(fields: Fields): Point {
  const { value } = fields;
  const isWord = typeof value === 'string' && words.includes(value);
  const number = typeof value === 'string' && !isWord && value.trim() !== '' ? Number(value) : value;
  if (!isWord && !(typeof number === 'number' && Number.isFinite(number)))
    throw wrong(`the value of the metric '${keyOf(fields)}' is not a number; send a number`);
  const timestamp = optionalInt(fields, 'timestamp');
  if (timestamp === undefined) throw wrong("a value for the required parameter 'timestamp' is missing; send it");
  return { key: keyOf(fields), value: number as number | string, timestamp, step: optionalInt(fields, 'step') ?? 0 };
}
