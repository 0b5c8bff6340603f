const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const second = units.s;
export const minute = units.m;
export const hour = units.h;
export const day = units.d;

/** How a duration is written, and a size. */
export const durationForm = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;
export const sizeForm = /^(\d{1,6}(?:\.\d{1,3})?)(B|KB|MB|GB|TB)$/;

/** `'250ms' '30s' '10m' '4h' '7d'` in milliseconds; `undefined` for any other text. */
export function parseDuration(text: string): number | undefined {
  const match = durationForm.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]) * units[match[2] as keyof typeof units];
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Milliseconds as a person writes them: `90s`, `1h 30m`, `2d`. */
export function durationText(ms: number): string {
  if (ms < second) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / second) * second;
  for (const [unit, size] of [
    ['d', day],
    ['h', hour],
    ['m', minute],
    ['s', second],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * size;
  }
  return parts.slice(0, 2).join(' ');
}

/** About how long something lasts, in words for a sentence: `40 seconds`, `1 minute`, `3 hours`, `2 days`. */
export function spanText(ms: number): string {
  const [unit, size] =
    ms < minute
      ? (['second', second] as const)
      : ms < 2 * hour
        ? (['minute', minute] as const)
        : ms < 2 * day
          ? (['hour', hour] as const)
          : (['day', day] as const);
  const count = Math.max(1, Math.round(ms / size));
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

const sizes = { B: 1, KB: 1_000, MB: 1_000_000, GB: 1_000_000_000, TB: 1_000_000_000_000 } as const;

/** `'512MB'` (decimal units) in bytes; `undefined` for any other text. */
export function parseSize(text: string): number | undefined {
  const match = sizeForm.exec(text);
  return match === null ? undefined : Math.round(Number(match[1]) * sizes[match[2] as keyof typeof sizes]);
}

/** Milliseconds since the epoch as RFC 3339 UTC. */
export const instant = (at: number): string => new Date(at).toISOString();

/** A moment in a sentence, for people: `2026-12-06 23:30:51 UTC`. */
export const momentText = (at: number): string => `${instant(at).slice(0, 19).replace('T', ' ')} UTC`;

/** How long ago or ahead of now a time is, in one unit: `just now`, `12s ago`, `3h ago`, `in 5m`. */
export function agoText(at: number, now: number): string {
  const ms = Math.abs(now - at);
  if (ms < second) return 'just now';
  const text = durationText(ms).split(' ')[0] ?? '';
  return at > now ? `in ${text}` : `${text} ago`;
}
