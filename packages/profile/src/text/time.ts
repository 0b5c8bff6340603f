const [dash, colon, point, plus, space, upperT, lowerT, upperZ, lowerZ] = [45, 58, 46, 43, 32, 84, 116, 90, 122];

/** A day of ISO 8601, `2026-01-31`, with a time after it or without; of the length at least. */
export const maySayTime = (bytes: Uint8Array, from: number, to: number): boolean =>
  to - from >= 10 && to - from <= 35 && bytes[from + 4] === dash && bytes[from + 7] === dash;

/**
 * Milliseconds since the epoch of `2026-01-31`, `2026-01-31T10:20`, `2026-01-31 10:20:30.123456+01:00`; NaN for all else.
 * Without a zone it is UTC. What is finer than a millisecond is cut.
 */
export function timeOf(bytes: Uint8Array, from: number, to: number): number {
  if (!maySayTime(bytes, from, to)) return Number.NaN;
  const year = two(bytes, from) * 100 + two(bytes, from + 2);
  const days = daysOf(year, two(bytes, from + 5), two(bytes, from + 8));
  if (to === from + 10) return days * 86_400_000;
  const mark = bytes[from + 10];
  if (mark !== upperT && mark !== lowerT && mark !== space) return Number.NaN;
  return days * 86_400_000 + clockOf(bytes, from + 11, to);
}

/** Milliseconds of the digits of a fraction. */
const tenths = [100, 10, 1];

/** `10:20`, `10:20:30`, `10:20:30.5`, each with a zone or without. */
function clockOf(bytes: Uint8Array, from: number, to: number): number {
  const hours = two(bytes, from);
  const minutes = two(bytes, from + 3);
  if (from + 5 > to || bytes[from + 2] !== colon || hours > 23 || minutes > 59) return Number.NaN;
  let ms = (hours * 60 + minutes) * 60_000;
  let at = from + 5;
  if (at < to && bytes[at] === colon) {
    const seconds = two(bytes, at + 1);
    if (at + 3 > to || seconds > 59) return Number.NaN;
    ms += seconds * 1000;
    at += 3;
    if (at < to && bytes[at] === point) {
      const digits = at + 1;
      for (at += 1; at < to && isDigit(bytes[at] ?? 0); at += 1)
        if (at - digits < 3) ms += ((bytes[at] ?? 0) - 48) * (tenths[at - digits] ?? 0);
      if (at === digits) return Number.NaN;
    }
  }
  return ms - zoneOf(bytes, at, to);
}

/** How far the clocks of a zone are before UTC: `Z`, `+01:00`, `+0100`, `+01`. */
function zoneOf(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return 0;
  const sign = bytes[from];
  if (to - from === 1 && (sign === upperZ || sign === lowerZ)) return 0;
  if (sign !== plus && sign !== dash) return Number.NaN;
  const hours = two(bytes, from + 1);
  const at = bytes[from + 3] === colon ? from + 4 : from + 3;
  const minutes = to === from + 3 ? 0 : at + 2 === to ? two(bytes, at) : Number.NaN;
  const ms = hours > 18 || minutes > 59 ? Number.NaN : (hours * 60 + minutes) * 60_000;
  return sign === plus ? ms : -ms;
}

const isDigit = (byte: number) => byte >= 48 && byte <= 57;

function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] ?? 0;
  const ones = bytes[at + 1] ?? 0;
  return isDigit(tens) && isDigit(ones) ? (tens - 48) * 10 + ones - 48 : Number.NaN;
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

/** Days since the epoch of a day of the Gregorian calendar (Hinnant, `days_from_civil`); NaN where there is no such day. */
function daysOf(year: number, month: number, day: number): number {
  const length = (monthDays[month - 1] ?? Number.NaN) + (month === 2 && isLeap(year) ? 1 : 0);
  if (!(year >= 0 && day >= 1 && day <= length)) return Number.NaN;
  const fromMarch = month > 2 ? year : year - 1;
  const era = Math.floor(fromMarch / 400);
  const yearOfEra = fromMarch - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}
