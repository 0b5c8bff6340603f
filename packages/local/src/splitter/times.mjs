/**
 * A reader of one column as time, in milliseconds since the epoch, for one pass or several.
 *
 * Reads ISO 8601 months, days and timestamps (without a zone: UTC) and plain numbers (taken as milliseconds). A value
 * that is none of these, or a number among dates, throws with file and line: a wrong guess would leak the hold-out.
 */
export function timeOf(column) {
  let kind;
  return (row) => {
    const value = row.value(column);
    const number = typeof value === 'number' || (typeof value === 'string' && numeric.test(value));
    const at = number ? Number(value) : typeof value === 'string' ? parseIso(value) : Number.NaN;
    if (!Number.isFinite(at))
      throw new Error(
        `${row.where}: '${column}' is ${JSON.stringify(value) ?? 'missing'}, neither an ISO date nor a number`,
      );
    kind ??= number;
    if (kind !== number)
      throw new Error(`${row.where}: '${column}' is ${JSON.stringify(value)}: dates and numbers are mixed`);
    return at;
  };
}

const numeric = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const iso = /^(\d{4}-\d{2}(?:-\d{2})?)(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?:(Z)|([+-]\d{2}):?(\d{2})?)?)?$/i;

function parseIso(text) {
  const [, date, time, , hours, minutes] = iso.exec(text) ?? [];
  if (date === undefined || !isInCalendar(date) || (time !== undefined && date.length < 10)) return Number.NaN;
  const zone = hours === undefined ? 'Z' : `${hours}:${minutes ?? '00'}`;
  return Date.parse(time === undefined ? date : `${date}T${time}${zone}`);
}

/** `Date.parse` rolls the 30th of February over into March. */
function isInCalendar(date) {
  const at = Date.parse(date);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date);
}
