import { expect, test } from 'vitest';
import { crc32c, crc32cText } from './crc32c.ts';

// https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-32-iscsi
test('the checksum is the one of the catalogue', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

test.each([
  ['', 'AAAAAA=='],
  ['hello', 'mnG7TA=='],
])('the checksum of %j is written as Cloud Storage writes it', (text, expected) => {
  expect(crc32cText(Buffer.from(text))).toBe(expected);
});
