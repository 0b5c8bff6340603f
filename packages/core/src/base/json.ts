import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

// The WHATWG decoder is on every platform that Serin runs on, but in no ECMAScript library.
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };

export const encodeText = (text: string): Uint8Array => utf8ToBytes(text);
/** Bytes that are not UTF-8 become U+FFFD. */
export const decodeText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

type Dictionary = Readonly<Record<string, unknown>>;

/** JSON with sorted keys and without `undefined`: equal values have equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`;
  if (!isDictionary(value)) return JSON.stringify(value ?? null);
  let fields = '';
  for (const key of Object.keys(value).sort()) {
    if (value[key] === undefined) continue;
    fields += `${fields === '' ? '' : ','}${JSON.stringify(key)}:${canonical(value[key])}`;
  }
  return `{${fields}}`;
}

/** Lower-case hex SHA-256 of the UTF-8 bytes of a text, or of bytes. */
export function sha256Hex(content: string | Uint8Array): string {
  return bytesToHex(sha256(typeof content === 'string' ? utf8ToBytes(content) : content));
}

/** SHA-256 of the canonical JSON of a value. */
export const digestOf = (value: unknown): string => sha256Hex(canonical(value));

/**
 * The JSON merge patch (RFC 7396) that turns `before` into `after`; `undefined` where they are equal.
 *
 * Parts that are the same object are not compared, so the cost depends on the size of the change, not of the state.
 * A state must hold no `null` (RFC 7396 uses it for deletion); arrays are replaced whole.
 */
export function diff(before: unknown, after: unknown): Json | undefined {
  if (before === after) return undefined;
  if (!isDictionary(before) || !isDictionary(after)) {
    return canonical(before) === canonical(after) ? undefined : (JSON.parse(JSON.stringify(after)) as Json);
  }
  const patch: Record<string, Json> = {};
  for (const key of Object.keys(before)) if (before[key] !== undefined && after[key] === undefined) patch[key] = null;
  for (const key of Object.keys(after)) {
    const [was, is] = [before[key], after[key]];
    if (is === undefined || is === was) continue;
    const change = was === undefined ? (JSON.parse(JSON.stringify(is)) as Json) : diff(was, is);
    if (change !== undefined) patch[key] = change;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** Applies an RFC 7396 merge patch. Own keys only, so a patch from outside cannot reach a prototype. */
export function applyPatch(target: unknown, patch: unknown): unknown {
  if (patch === undefined) return target;
  if (!isDictionary(patch)) return patch;
  const result: Record<string, unknown> = Object.assign(Object.create(null), isDictionary(target) ? target : {});
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete result[key];
    else result[key] = applyPatch(result[key], patch[key]);
  }
  return Object.setPrototypeOf(result, Object.prototype);
}

function isDictionary(value: unknown): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
