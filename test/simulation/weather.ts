import type { Rollout } from '@serin/core/model/rollout/state';

/**
 * The evidence of a stream of ticks once more, in shares of bad requests (theta) and written from the rule's text: what
 * the core says is held against it, so nothing of the judge is used here.
 */

/** What is known of a stream before its first tick, from the champion's history as it was recorded. */
export interface Before {
  readonly noise: number;
  readonly most: number;
  readonly tax: number;
  readonly together: number;
  readonly usual: number | undefined;
}

type Known = { readonly typical: number; readonly noise?: number; readonly dispersion: number; readonly calm: boolean };

/** `measures` are those of the stream's guardrail, its own first. */
export function before(
  { history }: Rollout,
  measures: readonly string[],
  counts: { readonly maxBurst: number; readonly isWhole: boolean },
): Before {
  const all = measures.map((measure): Known | undefined =>
    history === undefined || history === 'none' ? undefined : history.measures[measure],
  );
  const known = all.filter((each) => each !== undefined);
  const [own] = all;
  const usual = own !== undefined && counts.isWhole ? own.typical / counts.maxBurst : undefined;
  if (own === undefined) return { noise: 0.28, most: 5, tax: Math.log(1.01), together: 1, usual };
  if (known.every(({ calm }) => calm))
    return { noise: clip(own.noise ?? 0.05, 0.05, 0.1), most: 50, tax: 0.001, together: 1, usual };
  const others = 1.5 * Math.max(...known.map(({ noise = 0 }) => noise));
  const isYoung = typeof history !== 'object' || history.ticks < 180;
  const noise = own.noise === undefined ? clip(others, isYoung ? 0.28 : 0.1, 1) : clip(own.noise, 0.05, 1);
  return { noise, most: 5, tax: Math.log(1.01), together: own.noise === undefined ? own.dispersion : 1, usual };
}

const clip = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

interface Row {
  readonly bad: number;
  readonly badOfBoth: number;
  readonly odds: number | undefined;
  readonly chance: number;
}

/** What a stream has come to. */
export interface Stream {
  readonly rows: readonly Row[];
  readonly usual: number | undefined;
  readonly noise: { readonly sum: number; readonly weight: number };
  readonly start: readonly number[];
  /** What ticks of the candidate alone have won, until the champion has requests as well. */
  readonly won: readonly number[];
  /** Capital of what began later, and what is still kept for that. */
  readonly later: { readonly logs: readonly number[] | undefined; readonly kept: number };
  readonly came: readonly number[];
  readonly safe: readonly number[];
  readonly weight: number | undefined;
}

export interface Heard {
  readonly weight: number | 'unknown';
  readonly ours: { readonly bad: number; readonly of: number };
  readonly theirs: { readonly bad: number; readonly of: number };
  readonly isCold: boolean;
  /** The numbers of requests make it no evidence, or another share counts against the candidate, or it is not for it. */
  readonly isOut: boolean;
  readonly against: number | undefined;
  readonly isFor: boolean;
  readonly inFavour: number | undefined;
  /** One of both had no requests in the tick, and in no row that is a gap. */
  readonly isByChance: boolean;
  readonly lastWeight: number;
}

export interface Rule {
  readonly toleratedRatio: number;
  readonly margin: number;
  readonly maxBurst: number;
  readonly isRealised: boolean;
  readonly isOfUsers: boolean;
  /** The weight that is wished while nobody knows which one holds. */
  readonly wished: number;
}

const growths = [1.1, 1.25, 1.5, 2, 3, 5, 10];
const ratios = [0.5, 0.7, 0.85, 1, 1.1];

const nothingWon: readonly number[] = growths.map(() => 0);
const sumOf = (logs: readonly number[], more: readonly number[]): readonly number[] =>
  logs.map((log, index) => log + (more[index] ?? 0));

const theta = (share: number, ratio: number): number => (share * ratio) / (share * ratio + 1 - share);

/** log of the likelihood that the candidate has the ratio `to` against `from`, of e and p bad requests. */
const likelihood = (share: number, [e, p]: readonly [number, number], from: number, to: number): number =>
  (e === 0 ? 0 : e * Math.log(theta(share, to) / theta(share, from))) +
  (p === 0 ? 0 : p * Math.log((1 - theta(share, to)) / (1 - theta(share, from))));

export function heardOne(stream: Stream | undefined, heard: Heard, known: Before, rule: Rule): Stream {
  const was: Stream = stream ?? {
    ...{ rows: [], usual: known.usual, noise: { sum: 10 * known.noise ** 2, weight: 10 } },
    ...{ start: growths.map(() => 0), won: nothingWon, came: growths.map(() => 0), safe: ratios.map(() => 0) },
    ...{ later: { logs: undefined, kept: 0.1 }, weight: undefined },
  };
  const [e, p] = [heard.ours.bad / rule.maxBurst, heard.theirs.bad / rule.maxBurst];
  const shareCame = heard.ours.of / (heard.ours.of + heard.theirs.of);
  const weight = heard.weight === 'unknown' ? rule.wished : heard.weight;
  const share = rule.isRealised || heard.weight === 'unknown' ? shareCame : weight / 100;
  const counts = !heard.isCold && was.usual !== undefined;
  const after = counts
    ? judgedOne(was, heard, { e, p, share, shareCame, weight }, known, rule)
    : { ...was, won: nothingWon };
  if (heard.isOut) return { ...after, weight: after.weight ?? weight };
  return taught(
    { ...after, weight: after.weight ?? weight },
    { e, p, share: rule.isRealised ? share : (heard.against ?? share) },
    counts && heard.ours.of > 0 && heard.theirs.of > 0,
    known,
  );
}

interface Tick {
  readonly e: number;
  readonly p: number;
  readonly share: number;
  readonly shareCame: number;
  readonly weight: number;
}

function judgedOne(
  was: Stream,
  heard: Heard,
  { e, p, share, shareCame, weight }: Tick,
  known: Before,
  rule: Rule,
): Stream {
  const noise = clip(Math.sqrt(was.noise.sum / was.noise.weight), known.noise, 1);
  const most = mostIn(was);
  const m = e + p;
  const gains = (at: number): readonly number[] => {
    const r = rule.toleratedRatio * Math.exp(0.7 * noise);
    const q = theta(at, r);
    const d = Math.max(1 + Math.max(0, m - 1) * q * (1 - q) * noise ** 2, known.together);
    const spread = 2.5 * Math.sqrt((Math.min(m, most) * q * (1 - q)) / d);
    return growths.map((g) => {
      if (m === 0) return 0;
      const raw = likelihood(at, [e, p], r, r * g) / Math.max(d, m / most);
      const top = Math.min(m > most ? Math.log(1.25) : Math.log(known.most), Math.log(g) * (1 + spread));
      return Math.min(raw, top) - known.tax;
    });
  };
  const isOurs = heard.theirs.of === 0;
  const came = isOurs ? was.came : sumOf(was.came, gains(shareCame));
  const blaming = rule.isRealised ? share : (heard.against ?? share);
  if (heard.weight === 'unknown') return { ...was, came, won: nothingWon };
  const isNew = was.weight !== undefined && was.weight !== weight;
  const began = isNew ? anew(was.later) : was.later;
  const isSaid = !heard.isOut && (!isOurs || heard.isByChance);
  const said = isSaid ? gains(blaming) : nothingWon;
  const purse = isNew || !isSaid ? said : sumOf(was.won, said);
  // A loss is paid at once. What is won by the candidate alone is paid once the champion is there.
  const paid = isOurs ? said.map((log) => Math.min(0, log)) : purse;
  const won = isOurs && isSaid ? purse.map((log, index) => log - (paid[index] ?? 0)) : nothingWon;
  const later = began.logs === undefined ? began : { ...began, logs: sumOf(began.logs, paid) };
  const speaks = weight === heard.lastWeight && heard.isFor && heard.ours.of > 0;
  const at = rule.isOfUsers ? shareCame : rule.isRealised ? share : (heard.inFavour ?? share);
  // Where hardly any request of a tick is bad, more noise than this is hidden behind chance.
  const seen = (was.usual ?? 0) < 2 ? Math.min(noise, 0.1) : noise;
  const excluded = rule.margin * Math.exp(-0.6 * seen);
  const q = theta(at, excluded);
  const d = Math.max(1 + Math.max(0, m - 1) * q * (1 - q) * seen ** 2, known.together, m / most);
  const safe = was.safe.map((log, index) => {
    const ratio = ratios[index] ?? 1;
    if (!speaks || m === 0 || ratio >= excluded) return log;
    return log + Math.min(likelihood(at, [e, p], excluded, ratio) / d, m > most ? 0 : Math.log(3));
  });
  return { ...was, came, start: sumOf(was.start, paid), won, later, safe, weight };
}

/**
 * A person went on although requests had been shared out otherwise: no bet is worth more than its stake any more. What is
 * kept for later weights has staked all but what is left of it.
 */
export function pardoned(was: Stream): Stream {
  const { logs, kept } = was.later;
  const cut = (all: readonly number[], stake: number) => all.map((log) => Math.min(log, Math.log(stake)));
  return {
    ...was,
    won: nothingWon,
    start: cut(was.start, 1),
    safe: cut(was.safe, 1),
    later: logs === undefined ? was.later : { kept, logs: cut(logs, 0.1 - kept) },
  };
}

/** Half of what is kept begins beside what began before. */
function anew({ logs, kept }: Stream['later']): Stream['later'] {
  const capital = (logs === undefined ? 0 : meanOfExp(logs)) + kept / 2;
  return { logs: growths.map(() => Math.log(capital)), kept: kept / 2 };
}

const meanOfExp = (logs: readonly number[]): number => logs.reduce((sum, log) => sum + Math.exp(log), 0) / logs.length;

const mostIn = ({ usual = 0, rows }: Stream): number =>
  Math.max(1.5 * usual + 2 * Math.sqrt(usual) + 2, rows.at(-1)?.badOfBoth ?? 0);

function taught(was: Stream, { e, p, share }: Pick<Tick, 'e' | 'p' | 'share'>, isPair: boolean, known: Before): Stream {
  const m = e + p;
  const odds = isPair ? Math.log(((e + 0.5) * (1 - share)) / ((p + 0.5) * share)) : undefined;
  const row: Row = { bad: e, badOfBoth: m, odds, chance: 1 / (e + 0.5) + 1 / (p + 0.5) };
  const then = was.rows.length >= 5 ? was.rows.at(-5) : undefined;
  const [first] = was.rows;
  const usual =
    was.usual !== undefined
      ? 0.8 * was.usual + 0.2 * Math.min(m, mostIn(was))
      : first === undefined
        ? known.usual
        : Math.min(first.badOfBoth, m);
  return { ...was, usual, rows: [...was.rows, row], noise: noiseWith(was.noise, row, then) };
}

function noiseWith({ sum, weight }: Stream['noise'], now: Row, then: Row | undefined): Stream['noise'] {
  if (now.odds === undefined || then?.odds === undefined) return { sum, weight };
  const chance = (now.chance + then.chance) / 2;
  const says = (0.09 / (0.09 + chance)) ** 2;
  const excess = clip((now.odds - then.odds) ** 2 / 2 - chance, -0.5, 0.5);
  return { sum: Math.max(0, sum + says * excess), weight: weight + says };
}

/** Copies of one tick: those of which only the candidate's answer was bad, and those of which only the champion's was. */
interface Copies {
  readonly mirror: number;
  readonly served: number;
  readonly pairs: number;
  readonly isCold: boolean;
  /** How many of the champion's answers are bad, as far as that was known before. */
  readonly share: number;
}

/**
 * Two answers to one request are as a coin of one half that sends it to either model. Where fewer of them differ than
 * would if each model erred by itself, the same noise is that much more of those that differ.
 */
export function heardPairs(
  stream: Stream | undefined,
  { mirror, served, pairs, isCold, share }: Copies,
  known: Before,
  rule: Pick<Rule, 'toleratedRatio' | 'margin' | 'maxBurst'>,
): Stream {
  const apart = ((1 - share) * share * 2 * pairs) / rule.maxBurst;
  const more = stream?.usual === undefined ? 1 : Math.max(1, (2 + apart) / (2 + stream.usual));
  const heard = {
    weight: 50,
    lastWeight: 50,
    isCold,
    isOut: false,
    against: undefined,
    inFavour: undefined,
    isFor: true,
    isByChance: false,
  };
  return heardOne(
    stream,
    { ...heard, ours: { bad: mirror, of: pairs }, theirs: { bad: served, of: pairs } },
    // No noise is taken to be more than 1.
    { ...known, noise: Math.min(1, known.noise * more), usual: undefined },
    { ...rule, isRealised: false, isOfUsers: false, wished: 50 },
  );
}

/** `log E` of pairs against the candidate: nothing is kept for another weight, as there is none. */
export const logOfPairs = (stream: Stream | undefined): number =>
  stream === undefined ? 0 : Math.log(meanOfExp(stream.start));

/** `log E` against the candidate. */
export const logOfStream = ({ start, later: { logs, kept } }: Stream): number =>
  Math.log(0.9 * meanOfExp(start) + kept + (logs === undefined ? 0 : meanOfExp(logs)));
