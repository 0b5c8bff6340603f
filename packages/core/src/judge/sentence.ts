import { grouped, numberText, percent } from '../base/numbers.ts';
import { spanText } from '../base/time.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import type { Case, Certificate, StreamFinding } from './certificate.ts';
import type { Cells } from './evidence.ts';
import { unmeasured } from './judge.ts';
import type { Lack } from './needed.ts';
import type { Guardrail, Rules } from './rules.ts';

/** Without bounds (`none`) `because` says what decided. */
export type Decided =
  | { readonly verdict: 'rollback' | 'promotion' }
  | { readonly verdict: 'none'; readonly by: Untested; readonly because: string };

type Unworded = Omit<Certificate, 'sentence'>;

const decidedBy = (who: string) => `${who} decided this, not a test, so there is no figure for how sure it is`;

/** What is not decided by a test: what became of the rollout, and what is to be said of how sure that is. */
const untested = {
  noSteps: ['Promoted without a test', 'so nothing shows yet whether it is good enough'],
  unproved: ['Promoted without proof', 'no test has shown that it is good enough'],
  limit: ['Rolled back by a limit', decidedBy('a fixed limit')],
  together: ['Rolled back by a limit', decidedBy('a fixed limit')],
  routing: ['Rolled back by a rule', decidedBy('a fixed rule')],
  alert: ['Rolled back by an alert', decidedBy('an alert')],
  inconclusive: ['Rolled back by policy', decidedBy('the config')],
  hold: ['Rolled back', decidedBy('time')],
  ready: ['Rolled back', decidedBy('what the platform said')],
  abort: ['Aborted', decidedBy('a person')],
  rollback: ['Rolled back', decidedBy('a person')],
} as const satisfies Readonly<Record<string, readonly [became: string, sure: string]>>;

export type Untested = keyof typeof untested;

const nowMark = '. Now: ';

/**
 * What a certificate says to a person: `<what became of it>: <on which counts>; <how sure that is>. Now: <what is to be
 * done>.`
 */
export function sentenceOf(unworded: Unworded, decided: Decided, given: Case): string {
  const time = `after ${spanText(unworded.ticks * given.tickMs)} of evidence`;
  const ended = `${nowMark}${given.now}.`;
  switch (decided.verdict) {
    case 'rollback':
      return `Rolled back ${time}: ${rollbackText(unworded, given)}${ended}`;
    case 'promotion':
      return `Promoted ${time}: ${promotionText(unworded, given)}${ended}`;
    case 'none':
      return `${untestedText(decided)}${ended}`;
  }
}

/** A reason may say itself what became of it: `aborted by ann: the model is biased`. */
function untestedText({ by, because }: Extract<Decided, { verdict: 'none' }>): string {
  const [became, sure] = untested[by];
  const reason = because.replace(/\.$/, '');
  const itself = /^(aborted|promoted|rolled back) by /.test(reason);
  return `${itself ? `${reason[0]?.toUpperCase()}${reason.slice(1)}` : `${became}: ${reason}`}; ${sure}`;
}

/** The counts and how sure a test is, without what became of it and what is to be done: for texts that say that. */
export function clauseOf(sentence: string): string {
  const end = sentence.lastIndexOf(nowMark);
  const said = end < 0 ? sentence.replace(/\.$/, '') : sentence.slice(0, end);
  const sure = Object.values(untested).find(([, text]) => said.endsWith(`; ${text}`))?.[1];
  return (sure === undefined ? said : said.slice(0, -`; ${sure}`.length)).replace(outcome, '');
}

/** `Rolled back after 4 minutes of evidence: `, but not `Promoted by ann: `, which is a reason as well. */
const outcome =
  /^(Rolled back|Promoted|Without certificate)( after [^:]*| without [a-z ]+| by an? [a-z]+| by policy)?: /;

/** How long a stream takes until it has its evidence, at this traffic; `undefined`: longer than anybody waits. */
type Lacking = Lack & { readonly moreMs: number | undefined };

/** Why a candidate is not promoted yet, and how long that may take. `lacks`: longest first. */
export function lackText(lacks: readonly Lacking[], { unit }: Rules, tickMs: number): string {
  const [slowest, ...others] = lacks;
  if (slowest === undefined) return 'nothing is missing';
  const { stream, cell, logE } = slowest;
  if (cell === undefined && logE === 0)
    return 'nothing that decides was counted in this step yet, so there is no evidence to promote it, and nobody can say when there will be';
  const more = others.map((other) => `, and the check of ${other.stream.events} ${moreText(other)}`).join('');
  const longest = `the check of ${stream.events} needs ${others.length === 0 ? '' : 'longest, '}${moreText(slowest)}`;
  const so = cell === undefined ? '' : `. So far ${ratesText(stream, totals({ '': cell }), unit, tickMs)}`;
  return `there is too little evidence yet to promote it: at this traffic ${longest}${more}${so}`;
}

const moreText = ({ moreMs }: Lacking): string =>
  moreMs === undefined ? 'longer than anybody waits' : `about ${spanText(moreMs).replace(' ', ' more ')}`;

function rollbackText(unworded: Unworded, given: Case): string {
  const { guardrails, logE } = unworded;
  const blamed = guardrails
    .filter(({ blame }) => blame !== undefined)
    .reduce((a, b) => (Math.log(b.alphaShare) + b.logE > Math.log(a.alphaShare) + a.logE ? b : a));
  const rule = given.rules.guardrails.find(({ name }) => name === blamed.name);
  const enough = `1 in ${rare(-Math.log(unworded.alpha))} is enough to roll back`;
  const sure = `if ${harmlessText(given.rules)}, evidence this strong would turn up in at most 1 rollout in ${rare(logE)} (${enough})`;
  if (rule?.loss !== undefined) return `${lossText(given)}; ${sure}`;
  const worst = blamed.streams.reduce((a, b) => (strength(b) > strength(a) ? b : a));
  const stream = rule?.streams.find(({ id }) => id === worst.id);
  const found =
    rule === undefined || stream === undefined
      ? 'the candidate was worse'
      : harmText(withWarmUp(stream, rule, given), worst, unworded, given);
  return `${found}; ${sure}`;
}

/**
 * The bound is of all guardrails together: it speaks of a candidate that none of them has anything against. By pairs, or by
 * the share that came, no ratio above 1 is proved (paired.ts, weather.ts).
 */
function harmlessText({ guardrails, mirrored, routing }: Rules): string {
  const deciding = guardrails.filter(({ alphaShare }) => alphaShare > 0);
  const [{ loss } = {}, another] = deciding;
  if (another === undefined && loss !== undefined && loss.tolerated > 0)
    return `the candidate's average loss were at most ${loss.tolerated} above the champion's`;
  const most = mirrored || routing === 'realised' ? 1 : Number.POSITIVE_INFINITY;
  const ratios = deciding.map((each) => (each.loss === undefined ? each.toleratedRatio : 1));
  const ratio = Math.min(most, ...ratios);
  return `the candidate were ${ratio === 1 ? 'no worse than the champion' : `at most ${ratio} times as bad as the champion`}`;
}

function harmText(stream: Stream, found: StreamFinding, { unit }: Unworded, { evidence, tickMs }: Case): string {
  const { were = 'were bad' } = stream;
  if (found.pairs !== undefined && (found.logEPairs ?? 0) > found.logE) {
    const [ours, theirs] = found.pairs;
    const all = grouped(evidence.mirrored?.pairs ?? ours + theirs);
    return `of ${all} mirrored requests ${grouped(ours)} ${were} only at the candidate, and ${grouped(theirs)} only at the champion`;
  }
  return ratesText(stream, totals(found.cells), unit, tickMs);
}

/** Latency is of fewer requests than failures are, where caches warm up first. */
const withWarmUp = (stream: Stream, { warmsUp }: Guardrail, { warmUp }: Case): Stream =>
  warmsUp && warmUp > 0 ? { ...stream, counted: `${stream.counted ?? 'requests'} after the warm-up` } : stream;

function promotionText({ guardrails, beta, lastWeight, unit }: Unworded, given: Case): string {
  const { rules, evidence, tickMs } = given;
  const deciding = rules.guardrails.filter((rule) => rule.alphaShare > 0 && !unmeasured(evidence, rule));
  const rates = deciding.flatMap((rule) => {
    const found = guardrails.find(({ name }) => name === rule.name)?.streams ?? [];
    return rule.streams.flatMap((stream) => {
      const cell = found.find(({ id }) => id === stream.id)?.cells[String(lastWeight)];
      return rule.loss === undefined && stream.promotes && cell !== undefined
        ? [ratesText(withWarmUp(stream, rule, given), totals({ '': cell }), unit, tickMs)]
        : [];
    });
  });
  // Losses are counted in all steps.
  const losses = deciding.flatMap(({ loss }) => (loss === undefined ? [] : [lossText(given)]));
  const measured = [...rates, ...losses];
  const place = rates.length === 0 ? '' : `in the last step, at ${lastWeight} % of the traffic, `;
  const isLabelled = deciding.some(({ clock }) => clock === 'labels');
  const unlabelled = isLabelled ? '' : '. Whether its predictions are right was not tested';
  const where = measured.length > 1 ? ' in any one of these' : '';
  const excluded = [...new Set(deciding.map((rule) => excludedText(rule, unit, where)))].join(', or ');
  return `${place}${measured.join('; ')}; if the candidate were ${excluded}, it would be promoted in at most 1 rollout in ${rare(-Math.log(beta))}, and smaller harm is not ruled out${unlabelled}`;
}

const excludedText = ({ loss, margin, floor }: Guardrail, unit: Rules['unit'], where: string): string =>
  loss === undefined
    ? `at least ${margin} times as bad as the champion${where}, and bad in at least ${percent(floor)} of its ${unit === 'user' ? 'users' : 'requests'}`
    : `worse by at least ${loss.margin} in its average loss`;

/** The mean is unbiased, as it is what the bets are on. */
function lossText({ evidence }: Case): string {
  const { labels, sum } = evidence.labels?.harm ?? { labels: 0, sum: 0 };
  const mean = Number((sum / Math.max(1, labels)).toPrecision(2));
  const compared = mean > 0 ? `${mean} higher than` : mean < 0 ? `${-mean} lower than` : 'the same as';
  return `on ${grouped(labels)} labelled predictions of both models the candidate's average loss was ${compared} the champion's (0 is the best loss, 1 the worst)`;
}

interface ArmTotals {
  readonly bad: number;
  readonly of: number;
}
interface Totals {
  readonly candidate: ArmTotals;
  readonly champion: ArmTotals;
}

function totals(cells: Cells): Totals {
  const sum = (count: (cell: Cells[string]) => number) =>
    Object.values(cells).reduce((total, cell) => total + count(cell), 0);
  const arm = (whose: 'candidate' | 'champion') => ({
    bad: sum((cell) => cell[whose] + cell[`${whose}Alone`]),
    of: sum((cell) => cell[`${whose}Requests`]),
  });
  return { candidate: arm('candidate'), champion: arm('champion') };
}

/** `1.7 % of the candidate's 1,000 requests failed (17), and 0.39 % of the champion's 9,000 (35)`. */
function ratesText(
  { counted = 'requests', were = 'were bad', events }: Stream,
  { candidate, champion }: Totals,
  unit: Rules['unit'],
  tickMs: number,
): string {
  // A user is at risk in each tick until the first bad request, so these shares are those of a tick.
  if (unit === 'user')
    return `each ${spanText(tickMs).replace(/^1 /, '')}, on average ${rateOf(candidate)} of the candidate's users who had seen no ${events} until then saw their first (${grouped(candidate.bad)} in all), and ${rateOf(champion)} of the champion's (${grouped(champion.bad)})`;
  return `${rateOf(candidate)} of the candidate's ${grouped(candidate.of)} ${counted} ${were} (${grouped(candidate.bad)}), and ${rateOf(champion)} of the champion's ${grouped(champion.of)} (${grouped(champion.bad)})`;
}

/** Two digits tell all; near 100 % three do. */
const rateOf = ({ bad, of }: ArmTotals): string =>
  of === 0 ? 'none' : percent(bad / of < 0.1 ? Number((bad / of).toPrecision(2)) : bad / of);

const strength = ({ logE, logEPairs = logE }: StreamFinding): number => Math.max(logE, logEPairs);

/** E with two digits, rounded down: 4344.8 as `4,300`. */
const rare = (logE: number): string => (logE > Math.log(1e6) ? 'a million' : grouped(Math.max(1, twoDigits(logE, 1))));

/** The same as a figure by itself, where less than 10 keeps two digits: `2.1`. */
export const evidenceText = (logE: number): string =>
  logE > Math.log(1e6) ? 'over a million' : numberText(twoDigits(logE, 0));

/** `least`: the smallest unit, 1 for whole numbers. */
function twoDigits(logE: number, least: number): number {
  // Not below a number that only the exponential missed.
  const value = Math.exp(logE) * (1 + 1e-9);
  const unit = Math.max(least, 10 ** (Math.floor(Math.log10(value)) - 1));
  return Number((Math.floor(value / unit) * unit).toPrecision(2));
}
