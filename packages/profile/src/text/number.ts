/** Exact as doubles: powers of ten up to 22, and whole numbers of 15 digits; so one division or product rounds once (Clinger 1990). */
const powers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const exactDigits = 15;

const [zero, nine, plus, minus, point, space, tab] = [48, 57, 43, 45, 46, 32, 9];
const special = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
]);

/**
 * Reads a number of decimal digits, with a sign, a fraction and an exponent; spaces around it are allowed. The value is
 * that of `Number()`. `NaN`, `inf` and `Infinity` are numbers in any case, with a sign or without. All else is a text:
 * `1,5`, `0x10`, `1_000`.
 */
export class NumberText {
  value = 0;
  /** It was written without a fraction or an exponent. */
  isWhole = false;

  read(bytes: Uint8Array, start: number, end: number): boolean {
    let from = start;
    let to = end;
    while (from < to && isSpace(bytes[from] ?? 0)) from += 1;
    while (to > from && isSpace(bytes[to - 1] ?? 0)) to -= 1;
    const sign = bytes[from];
    const isNegative = sign === minus;
    const at = isNegative || sign === plus ? from + 1 : from;
    const first = bytes[at] ?? 0;
    if (at >= to) return false;
    if (first > nine) return this.readSpecial(bytes, at, to, isNegative);
    return this.readDigits(bytes, at, to, isNegative);
  }

  private readDigits(bytes: Uint8Array, from: number, to: number, isNegative: boolean): boolean {
    let at = from;
    let digits = 0;
    let fraction = 0;
    let leading = 0;
    let mantissa = 0;
    let isInFraction = false;
    for (; at < to; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte >= zero && byte <= nine) {
        mantissa = mantissa * 10 + (byte - zero);
        if (mantissa === 0) leading += 1;
        digits += 1;
        if (isInFraction) fraction += 1;
      } else if (byte === point && !isInFraction) isInFraction = true;
      else break;
    }
    if (digits === 0) return false;
    this.isWhole = !isInFraction && at === to;
    if (at === to && digits - leading <= exactDigits && fraction < powers.length) {
      const value = fraction === 0 ? mantissa : mantissa / (powers[fraction] ?? 1);
      this.value = isNegative && value !== 0 ? -value : value;
      return true;
    }
    return (at === to || isExponent(bytes, at, to)) && this.readSlowly(bytes, from, to, isNegative);
  }

  private readSlowly(bytes: Uint8Array, from: number, to: number, isNegative: boolean): boolean {
    const value = Number(asciiOf(bytes, from, to));
    this.value = isNegative && value !== 0 ? -value : value;
    return true;
  }

  private readSpecial(bytes: Uint8Array, from: number, to: number, isNegative: boolean): boolean {
    if (to - from !== 3 && to - from !== 8) return false;
    const value = special.get(asciiOf(bytes, from, to).toLowerCase());
    if (value === undefined) return false;
    this.value = isNegative ? -value : value;
    this.isWhole = false;
    return true;
  }
}

const isSpace = (byte: number) => byte === space || byte === tab;

function isExponent(bytes: Uint8Array, from: number, to: number): boolean {
  if (((bytes[from] ?? 0) | 32) !== 101) return false;
  const sign = bytes[from + 1];
  const first = sign === plus || sign === minus ? from + 2 : from + 1;
  if (first >= to) return false;
  for (let at = first; at < to; at += 1) if ((bytes[at] ?? 0) < zero || (bytes[at] ?? 0) > nine) return false;
  return true;
}

function asciiOf(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
