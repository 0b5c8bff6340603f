interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Names that stand for the numbers, from `from` on. */
  readonly names?: readonly string[];
}

const weekdays: readonly string[] = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const months: readonly string[] = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const fields: readonly Field[] = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12, names: months },
  // 7 is a Sunday as well, so that a week may end with it.
  { name: 'day of week', from: 0, to: 7, names: [...weekdays, 'SUN'] },
];

const minuteMs = 60_000;

/**
 * The first time after `after` (milliseconds since the epoch) at which a five-field cron expression fires in a zone.
 *
 * `*`, lists, ranges, steps and names (`MON-FRI`, `JAN`), as in crontab(5): when both day fields are restricted, either
 * may match. A wall-clock minute that does not exist (clocks go forward) does not fire. A minute that exists twice
 * fires the first time only, so that a daily schedule fires once. An hourly schedule fires both times. Throws an
 * `Error` that names the field for a bad expression, an unknown zone, or one that never fires.
 */
export function nextCron(expression: string, zone: string, after: number): number {
  const rule = parseCron(expression);
  const clock = wallClock(zone);
  const anyDay = rule.days.size === 31 || rule.weekdays.size === 7;
  const dayMatches = (wall: Wall): boolean => {
    if (!rule.months.has(wall.month)) return false;
    const byDay = rule.days.has(wall.day);
    const byWeekday = rule.weekdays.has(wall.weekday);
    return anyDay ? byDay && byWeekday : byDay || byWeekday;
  };
  let at = Math.floor(after / minuteMs) * minuteMs + minuteMs;
  const end = at + 5 * 366 * 1440 * minuteMs;
  while (at < end) {
    const wall = clock(at);
    if (!dayMatches(wall)) {
      // To the next local midnight and not past it: one hour less on a day that a clock change makes shorter.
      at += Math.max(1, (23 - wall.hour) * 60 + (60 - wall.minute) - 60) * minuteMs;
    } else if (!rule.hours.has(wall.hour)) at += (60 - wall.minute) * minuteMs;
    else if (!rule.minutes.has(wall.minute) || (rule.hours.size < 24 && isRepeated(clock, at, wall))) at += minuteMs;
    else return at;
  }
  throw new Error(`cron '${expression}' never fires within five years; correct its day and month`);
}

interface Wall {
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
}

/** Clocks go back by half an hour, one hour or two hours. Quarters of an hour cover every zone. */
const shiftsBack = Array.from({ length: 12 }, (_, quarter) => (quarter + 1) * 15 * minuteMs);

/** Whether the clocks have shown this minute of this day before. */
const isRepeated = (clock: (at: number) => Wall, at: number, wall: Wall): boolean =>
  shiftsBack.some((shift) => {
    const before = clock(at - shift);
    return before.hour === wall.hour && before.minute === wall.minute && before.day === wall.day;
  });

function parseCron(expression: string) {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== 5)
    throw new Error(`cron '${expression}' has ${parts.length} fields; write five: minute hour day month weekday`);
  const valuesOf = (index: number): Set<number> => {
    const field = fields[index];
    return field === undefined ? new Set() : parseField(parts[index] ?? '', field);
  };
  return {
    minutes: valuesOf(0),
    hours: valuesOf(1),
    days: valuesOf(2),
    months: valuesOf(3),
    weekdays: new Set([...valuesOf(4)].map((weekday) => weekday % 7)),
  };
}

function parseField(text: string, field: Field): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last, steps] = /^(?:\*|(\d+|[a-z]{3})(?:-(\d+|[a-z]{3}))?)(?:\/(\d+))?$/i.exec(part) ?? [];
    const from = first === undefined ? (part.startsWith('*') ? field.from : Number.NaN) : numberOf(first, field);
    const open = first === undefined || steps !== undefined;
    const to = last === undefined ? (open ? field.to : from) : numberOf(last, field, from);
    const step = steps === undefined ? 1 : Number(steps);
    if (!(from >= field.from && to <= field.to && from <= to && step >= 1)) {
      const named = field.names === undefined ? '' : `, or a name such as ${field.names[1]}`;
      throw new Error(`cron ${field.name} '${part}' is not valid; use ${field.from} to ${field.to}${named}`);
    }
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

/** A number, or the first one at or after `least` that a name stands for; `NaN`: neither. */
function numberOf(text: string, { from, names = [] }: Field, least = from): number {
  if (/^\d+$/.test(text)) return Number(text);
  const index = names.indexOf(text.toUpperCase(), least - from);
  return index < 0 ? Number.NaN : from + index;
}

function wallClock(zone: string): (at: number) => Wall {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'short',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  } catch {
    throw new Error(`zone '${zone}' is not an IANA time zone; use one such as 'Europe/Zurich'`);
  }
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map((part) => [part.type, part.value]));
    return {
      month: Number(parts.month),
      day: Number(parts.day),
      hour: Number(parts.hour),
      minute: Number(parts.minute),
      weekday: weekdays.indexOf(parts.weekday?.toUpperCase() ?? ''),
    };
  };
}
