const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Said behind a place: another encoding, in which two different letters would be one replacement character. */
export const notUtf8 = ' (not UTF-8: save the file as UTF-8)';

/** Bytes as text; what is no UTF-8 becomes replacement characters. */
export const fromUtf8 = (bytes: Uint8Array, from: number, to: number): string =>
  decoder.decode(bytes.subarray(from, to));

/** Bytes as UTF-8, whatever they were: what is none becomes replacement characters. */
export const toUtf8 = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  encoder.encode(fromUtf8(bytes, from, to));

/** The bytes are UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
export function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to) {
    const first = bytes[at] ?? 0;
    const length = lengthAfter(first);
    if (length === 0 || at + length > to) return false;
    if (length > 1 && !isSecond(first, bytes[at + 1] ?? 0)) return false;
    for (let next = at + 2; next < at + length; next += 1) if (!isContinuation(bytes[next] ?? 0)) return false;
    at += length;
  }
  return true;
}

export function isAscii(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let at = 0; at < bytes.length; at += 1) bits |= bytes[at] ?? 0;
  return bits < 0x80;
}

export const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

function lengthAfter(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

function isSecond(first: number, second: number): boolean {
  if (!isContinuation(second)) return false;
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second < 0xa0;
  if (first === 0xf0) return second >= 0x90;
  return first !== 0xf4 || second < 0x90;
}
