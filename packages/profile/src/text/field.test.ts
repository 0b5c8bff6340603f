import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ColumnSink } from '../sink.ts';
import { giveField } from './field.ts';

const encoder = new TextEncoder();

/** What a field is read as. */
function read(text: string, isQuoted = false): readonly unknown[] {
  const calls: unknown[][] = [];
  const sink: ColumnSink = {
    missing: () => calls.push(['missing']),
    number: (value, isWhole) => calls.push([isWhole ? 'integer' : 'decimal', value]),
    boolean: (value) => calls.push(['boolean', value]),
    time: (ms) => calls.push(['time', new Date(ms).toISOString()]),
    text: (bytes, from, to) => calls.push(['text', new TextDecoder().decode(bytes.subarray(from, to))]),
    nested: () => calls.push(['nested']),
    numbers: () => calls.push(['numbers']),
  };
  const bytes = encoder.encode(`9${text}9`);
  giveField(sink, bytes, 1, bytes.length - 1, isQuoted);
  expect(calls).toHaveLength(1);
  return calls[0] ?? [];
}

test.each([
  ['0', 'integer', 0],
  ['007', 'integer', 7],
  ['+5', 'integer', 5],
  ['-12', 'integer', -12],
  [' 5\t', 'integer', 5],
  ['1.50', 'decimal', 1.5],
  ['.5', 'decimal', 0.5],
  ['5.', 'decimal', 5],
  ['1e3', 'decimal', 1000],
  ['1E-400', 'decimal', 0],
  ['12345678901234567890', 'integer', Number('12345678901234567890')],
  ['0.1234567890123456789012345', 'decimal', Number('0.1234567890123456789012345')],
  ['00000000000000000000.5', 'decimal', 0.5],
  ['inf', 'decimal', Number.POSITIVE_INFINITY],
  ['-Infinity', 'decimal', Number.NEGATIVE_INFINITY],
  ['NaN', 'decimal', Number.NaN],
])('%j is a number', (text, type, value) => {
  expect(read(text)).toEqual([type, value]);
});

test('a zero has no sign', () => {
  for (const text of ['-0', '-0.0', '-0e5', '-1e-400']) expect(Object.is(read(text)[1], 0)).toBe(true);
});

test.each([
  '1,5',
  '0x10',
  '1_000',
  '1e',
  '1e+',
  'e5',
  '.',
  '-',
  '+',
  '--1',
  '1.2.3',
  '1 2',
  '5%',
  '$5',
  'in',
  'none',
  'NaNs',
  ' ',
  '1e5.5',
  '٣',
  'trues',
  'yes',
  '-true',
  '2026-13-01',
  '2026-02-29',
  '2026-01-01x',
  '2026-01-01T',
  '2026-01-01T25:00',
  '2026-01-01T10:60',
  '2026-01-01T10:00:00.',
  '2026-01-01T10:00:00+1',
  '2026-01-01T10:00:00+99:00',
  '2026-1-1',
  '2026-01-00',
  '2026/01/01',
  '1999-01-01T10:00:61',
])('%j is a text', (text) => {
  expect(read(text)).toEqual(['text', text]);
});

test('nothing is missing, unless it is quoted: then it is an empty text', () => {
  expect(read('')).toEqual(['missing']);
  expect(read('', true)).toEqual(['text', '']);
  expect(read('5', true)).toEqual(['integer', 5]);
});

test('true and false are booleans in any case', () => {
  for (const text of ['true', 'True', 'TRUE']) expect(read(text)).toEqual(['boolean', true]);
  expect(read('fALSE')).toEqual(['boolean', false]);
});

test.each([
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['1900-03-01', '1900-03-01T00:00:00.000Z'],
  ['0001-01-01', '0001-01-01T00:00:00.000Z'],
  ['2026-01-31T10:20', '2026-01-31T10:20:00.000Z'],
  ['2026-01-31 10:20:30', '2026-01-31T10:20:30.000Z'],
  ['2026-01-31T10:20:30.5Z', '2026-01-31T10:20:30.500Z'],
  ['2026-01-31T10:20:30.123999+01:00', '2026-01-31T09:20:30.123Z'],
  ['2026-01-31T10:20:30-0130', '2026-01-31T11:50:30.000Z'],
  ['2026-01-31T10:20:30+02', '2026-01-31T08:20:30.000Z'],
])('%j is a time, and without a zone it is UTC', (text, iso) => {
  expect(read(text)).toEqual(['time', iso]);
});

test('a number is the double that Number() reads', () => {
  const written = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.integer().map(String),
    fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 25n }), fc.nat(30)).map(([n, e]) => `${n}e-${e}`),
    fc.tuple(fc.nat(), fc.bigInt({ min: 0n, max: 10n ** 20n })).map(([n, f]) => `-${n}.${f}`),
  );

  fc.assert(
    fc.property(written, (text) => {
      expect(read(text)[1]).toBe(Number(text) + 0);
    }),
    { numRuns: 2000 },
  );
});

test('all that Number() does not read is no number, but for the names of NaN and the infinities', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'0123456789+-.eEx_, nif'), minLength: 1, maxLength: 8 }),
      (text) => {
        const [type, value] = read(text, true);
        if (type === 'integer' || type === 'decimal') {
          if (!Number.isNaN(Number(text))) expect(value).toBe(Number(text) + 0);
          else expect(text.trim()).toMatch(/^[+-]?(nan|inf|infinity)$/i);
        } else expect(Number.isNaN(Number(text)) || text.trim() === '' || text.includes('x')).toBe(true);
      },
    ),
    { numRuns: 3000 },
  );
});
