import { instant, parseDuration } from '@serin/core/base/time';
import { Failure } from './failure.ts';

/** RFC 3339 of an option that is a duration from now, or a time. */
export function timeOf(text: string, option: string): string {
  const duration = parseDuration(text);
  const at = duration === undefined ? Date.parse(text) : Date.now() + duration;
  if (Number.isFinite(at)) return instant(at);
  throw new Failure(2, `${option} is '${text}', not a time`, {
    mend: "give a duration such as '4h', or a time such as 2026-01-02T08:00:00Z",
  });
}
