const fields = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12 },
  { name: 'day of week', from: 0, to: 7 },
] as const;

const minuteMs = 60_000;

/**
 * The first time after `after` (milliseconds since the epoch) at which a five-field cron expression fires in a zone.
 *
 * `*`, lists, ranges and steps, as in crontab(5): when both day fields are restricted, either may match. A wall-clock
 * minute that does not exist (clocks go forward) does not fire; one that exists twice fires at its first.
 * Throws an `Error` that names the field for a bad expression, an unknown zone, or one that never fires.
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
      // To the next local midnight, but never past it: one hour short on a day that is shortened by a clock change.
      at += Math.max(1, (23 - wall.hour) * 60 + (60 - wall.minute) - 60) * minuteMs;
    } else if (!rule.hours.has(wall.hour)) at += (60 - wall.minute) * minuteMs;
    else if (!rule.minutes.has(wall.minute) || isSecondOccurrence(clock, at, wall)) at += minuteMs;
    else return at;
  }
  throw new Error(`cron '${expression}' never fires within five years`);
}

interface Wall {
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
}

function isSecondOccurrence(clock: (at: number) => Wall, at: number, wall: Wall): boolean {
  const before = clock(at - 60 * minuteMs);
  return before.hour === wall.hour && before.minute === wall.minute && before.day === wall.day;
}

function parseCron(expression: string) {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== 5)
    throw new Error(`cron '${expression}' has ${parts.length} fields; it wants five: minute hour day month weekday`);
  const [minutes, hours, days, months, weekdays] = fields.map((field, index) => parseField(parts[index] ?? '', field));
  const none = new Set<number>();
  const week = new Set([...(weekdays ?? none)].map((weekday) => weekday % 7));
  return { minutes: minutes ?? none, hours: hours ?? none, days: days ?? none, months: months ?? none, weekdays: week };
}

function parseField(text: string, field: (typeof fields)[number]): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    const from = match?.[1] === undefined ? field.from : Number(match[1]);
    const open = match?.[1] === undefined || (match[2] === undefined && match[3] !== undefined);
    const to = match?.[2] !== undefined ? Number(match[2]) : open ? field.to : from;
    const step = match?.[3] === undefined ? 1 : Number(match[3]);
    if (match === null || from < field.from || to > field.to || from > to || step < 1) {
      throw new Error(`cron ${field.name} '${part}' is not within ${field.from}-${field.to}`);
    }
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
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
    throw new Error(`zone '${zone}' is not an IANA time zone such as 'Europe/Zurich'`);
  }
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map((part) => [part.type, part.value]));
    return {
      month: Number(parts.month),
      day: Number(parts.day),
      hour: Number(parts.hour),
      minute: Number(parts.minute),
      weekday: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(parts.weekday ?? ''),
    };
  };
}
