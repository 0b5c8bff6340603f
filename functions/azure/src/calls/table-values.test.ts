import { byBytes } from '@serin/core/base/order';
import { describe, expect, test } from 'vitest';
import { endOfPrefix, fromParts, inAscii, inParts, mostInParts, sortedKey, typed } from './table-values.ts';

const alphabet = ['\u0000', '\u0001', '!', '/', '#', 'A', 'a', 'z', '~', '\u007f', 'ä', 'ß', '\u2028', '\uffff', '😀'];

/** A text that is the same for the same seed, and often begins as others do. */
function textOf(seed: number): string {
  const length = [0, 1, 3, 33, 98, 99, 100, 101, 150][seed % 9] ?? 0;
  const same = 'x'.repeat(length);
  const spread = Math.imul(seed + 1, 2_654_435_761) >>> 0;
  const tail = Array.from({ length: 1 + (seed % 4) }, (_, at) => alphabet[(spread >>> (6 * at + 4)) % alphabet.length]);
  return `${same}${tail.join('')}`;
}

const texts = [...new Set(Array.from({ length: 600 }, (_, seed) => textOf(seed)))];
/** What is sorted ends in the mark of a stream. */
const marked = texts.map((text) => `${text}\u00000123456789abcdef`);

describe('the keys of texts', () => {
  test('sort as the bytes of the texts, also beyond the hexadecimal digits', () => {
    const byText = marked.toSorted(byBytes);
    const byKey = marked.toSorted((a, b) => (sortedKey(a) < sortedKey(b) ? -1 : 1));

    expect(marked.length).toBeGreaterThan(300);
    expect(byKey).toEqual(byText);
  });

  test('of a prefix lie between its key and its end, and no others do', () => {
    for (const prefix of texts) {
      const [after, below] = [sortedKey(prefix), endOfPrefix(prefix)];
      const found = marked.filter((text) => after < sortedKey(text) && sortedKey(text) < below);
      expect([prefix, found]).toEqual([prefix, marked.filter((text) => text.startsWith(prefix))]);
    }
  });

  test('fit into a key when the text is as long as it may be, and have only characters that a key may have', () => {
    const longest = [`${'k'.repeat(512)}\u00000123456789abcdef`, '😀'.repeat(132), '\u0001'.repeat(529)];

    for (const text of longest) {
      expect(`name:${sortedKey(text)}`.length).toBeLessThanOrEqual(512);
      expect(sortedKey(text)).toMatch(/^[0-9a-f]{200}[\u4e00-\u5dff]+$/);
      expect(sortedKey(text).normalize('NFKD')).toBe(sortedKey(text));
    }
  });
});

test('bytes come back from their parts, each of which fits into a property', () => {
  for (const length of [0, 1, 65_536, 65_537, mostInParts]) {
    const bytes = new Uint8Array(length).map((_, at) => at % 251);

    const parts = inParts('state', bytes);
    const sent = typed(parts);

    expect(Object.values(parts).every((part) => part instanceof Uint8Array && part.length <= 65_536)).toBe(true);
    expect(Buffer.compare(fromParts('state', sent), bytes)).toBe(0);
  }
});

test('JSON in ASCII says the same', () => {
  for (const text of alphabet) {
    const ascii = inAscii(JSON.stringify({ [text]: text }));

    expect(ascii).toMatch(/^[ -~]*$/);
    expect(JSON.parse(ascii)).toEqual({ [text]: text });
  }
});
