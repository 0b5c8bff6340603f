const form =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

/**
 * The time that a text says, as ISO 8601 in UTC to the millisecond; `undefined` where it says none. It is read as in a
 * dataset (packages/profile, text/time.ts): `2026-01-31`, `2026-01-31 10:20`, `2026-01-31T10:20:30.5+01:00`.
 */
export function timeIn(text: string): string | undefined {
  // Most texts are none, and each value of a request is asked.
  if (text[4] !== '-' || text[7] !== '-' || text.length > 35) return undefined;
  const [
    ,
    year,
    month,
    day,
    hours = '00',
    minutes = '00',
    seconds = '00',
    fraction = '',
    sign,
    zoneHours,
    zone = '00',
  ] = form.exec(text) ?? [];
  const time = `${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const ms = Date.parse(time);
  // A day that no month has would be one of the next.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== time) return undefined;
  if (sign === undefined) return time;
  const ahead = (Number(zoneHours) * 60 + Number(zone)) * 60_000;
  return Number(zoneHours) > 18 || Number(zone) > 59
    ? undefined
    : new Date(sign === '+' ? ms - ahead : ms + ahead).toISOString();
}
