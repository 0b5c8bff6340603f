/**
 * What the numbers of requests say of the routing, once more and from the rule's text (judge/routing.ts): what the core
 * says is held against it, so nothing of the judge is used here.
 */
export interface Shared {
  /** The candidate's weight that holds, and the one before, in percent. */
  readonly weight: number;
  readonly before: number;
  readonly from: number | undefined;
  readonly since: number;
  /** For each factor of the odds, how much better it explains the numbers. */
  readonly better: readonly number[];
  readonly seen: number;
  /** Requests since the weight holds, and of a usual tick. */
  readonly ours: number;
  readonly all: number;
  readonly usual: number | undefined;
  /** What is missing: a third of the quarter of an hour at most for a tick, and a tenth of it less for each good one. */
  readonly outMs: number;
  /** How often a person went on although requests had been shared out otherwise. */
  readonly pardons: number;
  /** A row of ticks in which one model had no requests, and how many of them are a gap. */
  readonly row: { readonly ours: number; readonly theirs: number; readonly ticks: number; readonly gap: number };
}

export interface Numbers {
  readonly ours: number;
  readonly theirs: number;
  readonly start: number;
  readonly tickMs: number;
  readonly weight: number;
  readonly from: number | undefined;
  readonly isOfUsers: boolean;
}

export interface Said {
  readonly shared: Shared;
  /** The share by which the tick counts against the candidate; absent: it does not. */
  readonly against?: number;
  readonly isFor: boolean;
  /** The share that speaks for it. */
  readonly inFavour: number;
}

const factors = [0.5, 0.8, 0.9, 1 / 0.9, 1.25, 2];
const minuteMs = 60_000;
const none = factors.map(() => 0);
const missed = ({ tickMs }: Numbers): number => Math.min(tickMs, 5 * minuteMs);

export function saidBy(known: Shared | undefined, tick: Numbers): Said {
  const { ours, theirs } = tick;
  const [all, share] = [ours + theirs, tick.weight / 100];
  const was = atWeight(known, tick);
  if (all === 0) return { shared: was, against: share, isFor: true, inFavour: share };
  // What has come to it until now, if that is less than its weight.
  const inFavour = tick.isOfUsers || was.ours === 0 ? share : Math.min(was.ours / was.all, share);
  const isFirst = tick.from !== undefined && tick.start < was.since + minuteMs;
  const isOdd = odd(tick) > Math.log(2e6);
  const isFew = ours < all * share;
  const isBefore = likelihood(tick, was.before / 100) > likelihood(tick, share);
  const isLate = isFirst && (isBefore || (isOdd && isFew));
  const hasAll = was.usual !== undefined && share <= 0.5 && ours > (was.usual * (1 + share)) / 2;
  const isGap = isOdd && !isLate && (ours === 0 ? was.usual !== undefined : theirs === 0 && !hasAll);
  const isOut = isLate || isGap || (isOdd && isFew && ours > 0);
  const looks = !isFirst && !isGap && (isOdd || (ours > 0 && theirs > 0));
  const seen = looks ? { ...was, seen: was.seen + 1, better: was.better.map(grown(was.seen, tick)) } : was;
  if (isOut) {
    const shared = { ...seen, outMs: was.outMs + (isLate ? 0 : missed(tick)) };
    return { shared, isFor: false, inFavour, ...(isOdd ? {} : { against: moved(was.ours, was.all, tick, false) }) };
  }
  const usual = was.usual ?? all;
  const shared = {
    ...seen,
    ...{ ours: was.ours + ours, all: was.all + all },
    ...(ours > 0 && theirs > 0
      ? { usual: 0.8 * usual + 0.2 * all, outMs: Math.max(0, was.outMs - missed(tick) / 10) }
      : {}),
  };
  const against = isOdd ? moved(ours, all, tick, true) : moved(was.ours, was.all, tick, false);
  return { shared: inRow(shared, tick), against, isFor: true, inFavour };
}

const noRow = { ours: 0, theirs: 0, ticks: 0, gap: 0 };

/** A row of ticks without one of the models is odd as a whole, or it is not. */
function inRow(shared: Shared, tick: Numbers): Shared {
  if (tick.ours > 0 && tick.theirs > 0) return { ...shared, row: noRow };
  const ticks = shared.row.ticks + 1;
  const sum = { ours: shared.row.ours + tick.ours, theirs: shared.row.theirs + tick.theirs };
  const isOdd = odd({ ...tick, ...sum, tickMs: tick.tickMs * ticks }) > Math.log(2e6);
  const gap = isOdd ? ticks : shared.row.gap;
  return { ...shared, row: { ...sum, ticks, gap }, outMs: shared.outMs + (gap - shared.row.gap) * missed(tick) };
}

/**
 * The part of the champion's requests that may have come beside the endpoint: nothing, unless they are a quarter above
 * its share and one standard deviation above chance; then what is above its share, and three standard deviations.
 */
export function besideIn({ ours, all }: Shared, weight: number): number {
  const [theirs, rest] = [all - ours, (100 - weight) / weight];
  const above = theirs - rest * ours;
  const sd = (theirs + rest ** 2 * ours) ** 0.5;
  return above > sd && above > theirs / 4 ? Math.min(1, (above + 3 * sd) / theirs) : 0;
}

/** A weight that is confirmed begins anew, and what held a rollout before that is forgotten. */
function atWeight(known: Shared | undefined, { weight, from, start }: Numbers): Shared {
  if (known !== undefined && known.weight === weight && known.from === from) return known;
  return {
    ...{ weight, before: known?.weight ?? 0, from, since: start, ours: 0, all: 0, outMs: 0, row: noRow },
    ...{ seen: known?.seen ?? 0, usual: known?.usual },
    pardons: (known?.pardons ?? 0) + (known !== undefined && isOff(known) ? 1 : 0),
    better: known === undefined || isOff(known) ? none : known.better,
  };
}

export const isOff = ({ better, outMs }: Shared): boolean =>
  better.reduce((sum, value) => sum + value, 0) / better.length >= 1000 || outMs > 15 * minuteMs;

const direct = ({ tickMs, isOfUsers }: Numbers): number => (isOfUsers ? 0 : (6 * tickMs) / minuteMs);

function likelihood({ ours, theirs }: Pick<Numbers, 'ours' | 'theirs'>, share: number): number {
  return (ours === 0 ? 0 : ours * Math.log(share)) + (theirs === 0 ? 0 : theirs * Math.log(1 - share));
}

/** How far numbers are from the weight, direct calls aside. */
function odd(tick: Numbers): number {
  const share = tick.weight / 100;
  const isFew = tick.ours < (tick.ours + tick.theirs) * share;
  const ours = isFew ? tick.ours : Math.max(0, tick.ours - direct(tick));
  const theirs = isFew ? Math.max(0, tick.theirs - direct(tick)) : tick.theirs;
  const all = ours + theirs;
  if (all === 0 || (isFew ? ours >= all * share : ours < all * share)) return 0;
  return likelihood({ ours, theirs }, ours / all) - likelihood({ ours, theirs }, share);
}

function moved(ours: number, all: number, { weight, isOfUsers }: Numbers, isOwn: boolean): number {
  const share = weight / 100;
  if (isOfUsers || ours === all || !(ours / all > share)) return share;
  const counts = { ours, theirs: all - ours };
  return isOwn || likelihood(counts, ours / all) - likelihood(counts, share) > 4 ? ours / all : share;
}

const grown =
  (seen: number, tick: Numbers) =>
  (known: number, index: number): number => {
    const [factor, share] = [factors[index] ?? 1, tick.weight / 100];
    const other = (share * factor) / (share * factor + 1 - share);
    const ours = factor > 1 ? Math.max(0, tick.ours - direct(tick)) : tick.ours;
    const theirs = factor > 1 ? tick.theirs : Math.max(0, tick.theirs - direct(tick));
    const all = tick.ours + tick.theirs;
    const both = (at: number) => (tick.ours > 0 && tick.theirs > 0 ? Math.log(1 - at ** all - (1 - at) ** all) : 0);
    const log = likelihood({ ours, theirs }, other) - likelihood({ ours, theirs }, share) + both(share) - both(other);
    return Math.min(1e12, (known + 1 / ((seen + 1) * (seen + 2))) * Math.min(30, Math.exp(log)));
  };
