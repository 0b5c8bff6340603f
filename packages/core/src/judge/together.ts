import { percent } from '../base/numbers.ts';
import { hour, minute, momentText, spanText } from '../base/time.ts';
import type { Tick } from '../ports/telemetry.ts';

/**
 * A candidate that exhausts what both models share, such as a database or a quota, makes both fail, and no comparison
 * of the two shows it. Only the past can: both arms together since the rollout began, against what the champion did
 * before, without a candidate. This limit is policy, outside both bounds.
 */

/** Counts are summed up to windows of this length, before the start and after it. */
export const windowMs = 5 * minute;
/** A rise lasts for so many windows in a row. An incident of ten minutes touches three at most. */
export const windowsInRow = 4;
/** After so many windows in a row without it a rise is over. */
const windowsToEnd = 2;
/** A rise is at least this many times the share of the hour before the start... */
const timesBefore = 1.5;
/** ...and at least this many times the worst of the week: a record by a hair is chance. */
const timesWorst = 1.25;
/** Fewer windows do not have a day and a night in them. */
export const fewestWindows = 288;
const fewestOfHour = 6;

/** What the champion did in one window before the start. */
export interface PastWindow {
  readonly start: number;
  readonly requests: number;
  readonly bad: Readonly<Record<string, number>>;
}

/** What both arms are ranked against. */
export interface Together {
  /** Windows with requests. */
  readonly windows: number;
  readonly measures: Readonly<Record<string, Before>>;
}

export interface Before {
  /** In the hour before the start. */
  readonly bad: number;
  readonly requests: number;
  /** The greatest share that a run of windows kept up: the least share of that run. */
  readonly worst: number;
}

/**
 * What the champion did before `start`, in windows that are in order. A window that ends later does not count, nor one
 * without requests. `undefined`: too few windows to rank anything among them.
 */
export function togetherOf(
  windows: readonly PastWindow[],
  { start, measures }: { readonly start: number; readonly measures: readonly string[] },
): Together | undefined {
  const before = windows.filter((window) => window.start + windowMs <= start && window.requests > 0);
  const lately = before.filter((window) => window.start >= start - hour);
  if (before.length < fewestWindows || lately.length < fewestOfHour) return undefined;
  const sum = (count: (window: PastWindow) => number) => lately.reduce((total, window) => total + count(window), 0);
  const found: Record<string, Before> = {};
  for (const measure of measures) {
    if (before.some(({ bad }) => bad[measure] === undefined)) continue;
    const badOf = ({ bad }: PastWindow) => bad[measure] ?? 0;
    const shares = before.map((window) => badOf(window) / window.requests);
    found[measure] = { bad: sum(badOf), requests: sum(({ requests }) => requests), worst: worstOf(shares) };
  }
  return { windows: before.length, measures: found };
}

function worstOf(shares: readonly number[]): number {
  let worst = 0;
  for (let end = windowsInRow; end <= shares.length; end += 1)
    worst = Math.max(worst, Math.min(...shares.slice(end - windowsInRow, end)));
  return worst;
}

/** What both arms together may reach in one measure. */
export interface Ceiling {
  readonly measure: string;
  /** `failed requests`, for a person. */
  readonly events: string;
  /** The share of the hour before the start. */
  readonly before: number;
  readonly worst: number;
  readonly limit: number;
}

/** What is watched, and what a certificate says of it; `off`: why nothing is. */
export type TogetherRule =
  | { readonly windows: number; readonly ceilings: readonly Ceiling[] }
  | { readonly off: string };

interface Watched {
  readonly measure: string;
  readonly events: string;
  /** What the guardrail bears is no rise: a share below its floor, and a candidate as bad as it tolerates. */
  readonly floor: number;
  readonly toleratedRatio: number;
}

export function togetherRule(together: Together | undefined, watched: readonly Watched[]): TogetherRule {
  if (together === undefined)
    return {
      off: `less than ${spanText(fewestWindows * windowMs)} is known in which only the champion answered`,
    };
  const ceilings = watched.flatMap(({ measure, events, floor, toleratedRatio }): readonly Ceiling[] => {
    const known = together.measures[measure];
    if (known === undefined) return [];
    const before = (known.bad + 0.5) / (known.requests + 1);
    const risen = timesBefore * Math.max(1, toleratedRatio) * before;
    return [{ measure, events, before, worst: known.worst, limit: Math.max(floor, risen, timesWorst * known.worst) }];
  });
  return { windows: together.windows, ceilings };
}

/** What both arms did together since the start. */
export interface BothArms {
  /** When the first of their ticks began. */
  readonly since: number;
  /** The window that is filling, and how much of it was counted. */
  readonly open?: Window & { readonly ms: number };
  /** The last full windows, oldest first. */
  readonly last: readonly Window[];
  readonly risen?: Risen;
}

interface Window {
  readonly start: number;
  readonly requests: number;
  /** By ceiling, in their order. */
  readonly bad: readonly number[];
}

/** A rise that is there now. */
export interface Risen {
  readonly measure: string;
  readonly since: number;
  /** The least share of the windows that showed it. */
  readonly share: number;
}

/**
 * One more tick. Its requests count with all of both arms, whatever the weight. A window is full once ticks of its
 * length were counted: what was not served or not read does not fill it.
 *
 * Let a rollout be as long as D, and the time before it be K stretches of D and the rollout's own a further one, all
 * exchangeable without an effect (alike in distribution, in any order). Then a rise in one measure is found in at most
 * a share 1/(K + 1) of all rollouts: only the worst of K + 1 stretches exceeds all the others. Neither the dependence
 * of windows within a stretch nor the two factors matter for that; the factors only make it rarer.
 */
export function withBoth(
  known: BothArms | undefined,
  tick: Tick,
  tickMs: number,
  arms: readonly (string | undefined)[],
  ceilings: readonly Ceiling[],
): BothArms {
  const { open, ...before } = known ?? { since: tick.start, last: [] };
  if (tick.unserved === true) return known ?? before;
  const filled = plusTick(open ?? { start: tick.start, requests: 0, bad: ceilings.map(() => 0) }, tick, arms, ceilings);
  const ms = (open?.ms ?? 0) + tickMs;
  if (ms < windowMs) return { ...before, open: { ...filled, ms } };
  if (filled.requests === 0) return before;
  const now = [...before.last, filled].slice(-windowsInRow);
  const found = lasting(before.risen, now, ceilings) ?? risenIn(now, ceilings);
  return { since: before.since, last: now, ...(found === undefined ? {} : { risen: found }) };
}

/** For the evidence. */
export function togetherAfter(
  { together }: { readonly together?: BothArms },
  tick: Tick,
  tickMs: number,
  { candidate, champion }: { readonly candidate: string; readonly champion?: string | undefined },
  { together: rule }: { readonly together?: TogetherRule },
): { readonly together?: BothArms } {
  if (rule === undefined || 'off' in rule) return {};
  return { together: withBoth(together, tick, tickMs, [candidate, champion], rule.ceilings) };
}

function plusTick(
  { start, requests, bad }: Window,
  { counts }: Tick,
  arms: readonly (string | undefined)[],
  ceilings: readonly Ceiling[],
): Window {
  const sum = [...bad];
  let all = requests;
  for (const arm of arms) {
    const found = arm === undefined ? undefined : counts[arm];
    if (found === undefined) continue;
    all += found.requests;
    for (let index = 0; index < sum.length; index += 1)
      sum[index] = (sum[index] ?? 0) + (found.bad[ceilings[index]?.measure ?? ''] ?? 0);
  }
  return { start, requests: all, bad: sum };
}

const shareOf = ({ requests, bad }: Window, index: number): number => (bad[index] ?? 0) / requests;

function lasting(risen: Risen | undefined, last: readonly Window[], ceilings: readonly Ceiling[]): Risen | undefined {
  if (risen === undefined) return undefined;
  const index = ceilings.findIndex(({ measure }) => measure === risen.measure);
  const limit = ceilings[index]?.limit ?? 1;
  return last.slice(-windowsToEnd).some((window) => shareOf(window, index) > limit) ? risen : undefined;
}

function risenIn(last: readonly Window[], ceilings: readonly Ceiling[]): Risen | undefined {
  const [first] = last;
  if (first === undefined || last.length < windowsInRow) return undefined;
  for (const [index, { measure, limit }] of ceilings.entries()) {
    const share = Math.min(...last.map((window) => shareOf(window, index)));
    if (share > limit) return { measure, since: first.start, share };
  }
  return undefined;
}

const runText = spanText(windowsInRow * windowMs);

/** What rose, from what to what, since when, and that it was never as high before. */
export function risenText({ measure, since, share }: Risen, rule: TogetherRule): string {
  const { windows, ceilings } = 'off' in rule ? { windows: 0, ceilings: [] } : rule;
  const { events = 'bad requests', before = 0, worst = 0 } = ceilings.find((each) => each.measure === measure) ?? {};
  const now = `rose from ${percent(before)} in the hour before the rollout to at least ${percent(share)} for ${runText}, since ${momentText(since)}`;
  return `${events} of both models together ${now}, more than in any ${runText} of the ${spanText(windows * windowMs)} before (${percent(worst)} at worst)`;
}

/** What would show that the candidate makes both worse, and how often that is chance: see \`withBoth\`. */
export function togetherText(
  { together: rule = { off: 'it is not known' } }: { readonly together?: TogetherRule },
  { together: both, readTo }: { readonly together?: BothArms; readonly readTo: number },
): string {
  if ('off' in rule) return `limits.together does not watch for it, because ${rule.off}`;
  const limits = rule.ceilings
    .filter(({ limit }) => limit < 1)
    .map(({ events, limit }) => `${percent(limit)} ${events}`);
  if (limits.length === 0) return 'limits.together does not watch for it, because nothing that it counts is judged';
  const rollouts = 1 + Math.floor((rule.windows * windowMs) / Math.max(windowMs, readTo - (both?.since ?? readTo)));
  return `limits.together holds it with more than ${limits.join(', ')} of both models together for ${runText}, which happens by chance in at most 1 of ${rollouts} rollouts that are as long as this one, for each of these, if its time is like any other of those days`;
}
