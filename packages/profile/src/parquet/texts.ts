import { ValueHash } from '../hash.ts';
import { giveField } from '../text/field.ts';
import { readLengths } from './delta.ts';
import { checked, damaged, limits } from './limits.ts';
import type { Meaning } from './meaning.ts';
import { type Source, says, tooShort, type Values } from './values.ts';

/** Gives the places of texts by `next`, which answers with the place of a text's end. */
function textSource(bytes: Uint8Array, meaning: Meaning, next: () => readonly [from: number, to: number]): Source {
  const { numberOf, textOf } = meaning;
  return (out, count) => {
    out.bytes = bytes;
    for (let index = 0; index < count; index += 1) {
      const [from, to] = next();
      if (to > bytes.length) tooShort();
      if (numberOf) out.doubles[index] = numberOf(bytes.subarray(from, to));
      out.from[index] = from;
      out.to[index] = to;
    }
    if (numberOf) return;
    if (textOf) rewrite(out, count, textOf);
    understand(out, count, textOf === undefined);
  };
}

const hash = new ValueHash();

/** What is said, instead of a sink that is told. */
const heard = {
  says: says.text as number,
  value: 0,
  missing: () => {},
  nested: () => {},
  numbers: () => {},
  text: () => {},
  number: (value: number, isWhole: boolean) => hear(isWhole ? says.whole : says.fraction, value),
  boolean: (value: boolean) => hear(says.boolean, value ? 1 : 0),
  time: (ms: number) => hear(says.time, ms),
};

function hear(what: number, value: number): void {
  heard.says = what;
  heard.value = value;
}

/** A text that says a number is one, as in a CSV (`areFields`); bytes that are shown as hex or as a UUID are what they are. */
function understand(out: Values, count: number, areFields: boolean): void {
  for (let index = 0; index < count; index += 1) {
    const [from, to] = [out.from[index] ?? 0, out.to[index] ?? 0];
    hear(says.text, 0);
    if (areFields) giveField(heard, out.bytes, from, to, true);
    if (heard.says === says.text) hash.text(out.bytes, from, to);
    else if (heard.says === says.time) hash.time(heard.value);
    else if (heard.says === says.boolean) hash.boolean(heard.value === 1);
    else hash.number(heard.value);
    out.says[index] = heard.says;
    out.doubles[index] = heard.value;
    out.high[index] = hash.high;
    out.low[index] = hash.low;
  }
}

const ascii = new TextEncoder();

function rewrite(out: Values, count: number, textOf: (bytes: Uint8Array) => string): void {
  const texts = Array.from({ length: count }, (_, index) =>
    textOf(out.bytes.subarray(out.from[index] ?? 0, out.to[index] ?? 0)),
  );
  out.bytes = ascii.encode(texts.join(''));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    out.from[index] = at;
    at += text.length;
    out.to[index] = at;
  }
}

export function plainTexts(bytes: Uint8Array, at: number, meaning: Meaning): Source {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = at;
  return textSource(bytes, meaning, () => {
    if (from + 4 > bytes.length) tooShort();
    const begin = from + 4;
    from = begin + view.getUint32(from, true);
    return [begin, from];
  });
}

export function fixedTexts(bytes: Uint8Array, at: number, meaning: Meaning): Source {
  const { width = 0 } = meaning;
  let to = at;
  return textSource(bytes, meaning, () => {
    to += width;
    return [to - width, to];
  });
}

export function deltaLengths(bytes: Uint8Array, at: number, meaning: Meaning): Source {
  const { lengths, end } = readLengths(bytes, at);
  let [index, to] = [0, end];
  return textSource(bytes, meaning, () => {
    const from = to;
    to += lengths[index] ?? tooShort();
    index += 1;
    return [from, to];
  });
}

/** Texts that begin as the one before them does. */
export function deltaTexts(bytes: Uint8Array, at: number, meaning: Meaning): Source {
  const shared = readLengths(bytes, at);
  const own = readLengths(bytes, shared.end);
  const ends = new Uint32Array(own.lengths.length);
  let total = 0;
  for (const [index, length] of own.lengths.entries()) {
    total += length + (shared.lengths[index] ?? tooShort());
    ends[index] = checked('a length of all texts of a page', total, limits.pageBytes);
  }
  const texts = new Uint8Array(total);
  let [from, to] = [own.end, 0];
  for (const [index, end] of ends.entries()) {
    const before = ends[index - 2] ?? 0;
    const copied = shared.lengths[index] ?? 0;
    if (before + copied > to) throw damaged('a text shares more than the one before it has');
    texts.copyWithin(to, before, before + copied);
    const length = own.lengths[index] ?? 0;
    if (from + length > bytes.length) tooShort();
    texts.set(bytes.subarray(from, from + length), to + copied);
    from += length;
    to = end;
  }
  let [index, begin] = [0, 0];
  return textSource(texts, meaning, () => {
    const start = begin;
    begin = ends[index] ?? tooShort();
    index += 1;
    return [start, begin];
  });
}
