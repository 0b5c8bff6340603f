import { grouped, oddsText, percent } from '../base/numbers.ts';
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
  | { readonly verdict: 'none'; readonly because: string };

type Unworded = Omit<Certificate, 'sentence'>;

const nowMark = '. Now: ';
const untested = '; no test decided this, so the chance of a mistake is not known';

/**
 * What a certificate says to a person: `<what became of it>: <on which counts>; <how sure that is>. Now: <what is to be
 * done>.`
 */
export function sentenceOf(unworded: Unworded, decided: Decided, given: Case): string {
  const ended = `${nowMark}${given.now}.`;
  switch (decided.verdict) {
    case 'rollback':
      return `Rolled back: ${rollbackText(unworded, given)}${ended}`;
    case 'promotion':
      return `Promoted: ${promotionText(unworded, given)}${ended}`;
    case 'none':
      return `Without certificate: ${decided.because.replace(/\.$/, '')}${untested}${ended}`;
  }
}

/** The counts and how sure a test is, without what became of it and what is to be done: for texts that say that. */
export function clauseOf(sentence: string): string {
  const end = sentence.lastIndexOf(nowMark);
  const said = end < 0 ? sentence.replace(/\.$/, '') : sentence.slice(0, end);
  return said.replace(untested, '').replace(/^[A-Z][a-z ]+: /, '');
}

/** How long a stream takes until it has its evidence, at this traffic; `undefined`: longer than anybody waits. */
type Lacking = Lack & { readonly moreMs: number | undefined };

/** Why a candidate is not promoted yet, and how long that may take. `lacks`: longest first. */
export function lackText(lacks: readonly Lacking[], { beta, unit }: Rules, tickMs: number): string {
  const [slowest, ...others] = lacks;
  if (slowest === undefined) return 'nothing is missing';
  const { stream, cell, logE, moreMs } = slowest;
  if (cell === undefined && logE === 0)
    return 'nothing that decides was counted in this step yet, so there is no evidence to promote it, and nobody can say when there will be';
  const time =
    moreMs === undefined
      ? 'if both models go on like this there never will be enough'
      : `at this traffic it takes about ${spanText(moreMs)} more`;
  const seen =
    cell === undefined ? `${stream.events} are` : `${ratesText(stream, totals({ '': cell }), unit, tickMs)}, which is`;
  const odds = `evidence of ${oddsText(logE)} that it is good enough, and ${oddsText(-Math.log(beta))} is needed`;
  const rest = others.map(({ stream: { events }, ...other }) => `; ${events} take ${moreText(other)}`).join('');
  return `there is too little evidence yet to promote it, and ${time}: ${seen} ${odds}${rest}`;
}

const moreText = ({ moreMs }: Pick<Lacking, 'moreMs'>): string =>
  moreMs === undefined ? 'longer than anybody waits' : `about ${spanText(moreMs)}`;

function rollbackText(unworded: Unworded, given: Case): string {
  const { guardrails, logE } = unworded;
  const blamed = guardrails
    .filter(({ blame }) => blame !== undefined)
    .reduce((a, b) => (Math.log(b.alphaShare) + b.logE > Math.log(a.alphaShare) + a.logE ? b : a));
  const rule = given.rules.guardrails.find(({ name }) => name === blamed.name);
  const sure = `if ${harmlessText(given.rules)}, evidence this strong would ever appear in at most 1 rollout in ${rare(logE)}`;
  if (rule?.loss !== undefined) return `${lossText(given)}; ${sure}`;
  const worst = blamed.streams.reduce((a, b) => (strength(b) > strength(a) ? b : a));
  const stream = rule?.streams.find(({ id }) => id === worst.id);
  const found = stream === undefined ? 'the candidate was worse' : harmText(stream, worst, unworded, given);
  return `${found}; ${sure}`;
}

/** The evidence is that of all guardrails together, so one that tolerates something else cannot speak for all. */
function harmlessText({ guardrails }: Rules): string {
  const texts = new Set(guardrails.filter(({ alphaShare }) => alphaShare > 0).map(toleratedText));
  const [text, another] = texts;
  return text === undefined || another !== undefined ? 'the candidate were no worse than tolerated' : text;
}

function toleratedText({ loss, toleratedRatio }: Guardrail): string {
  if (loss !== undefined && loss.tolerated > 0) return `its average loss were at most ${loss.tolerated} above`;
  if (loss !== undefined || toleratedRatio === 1) return 'the candidate were no worse than the champion';
  return `the candidate were at most ${toleratedRatio} times as bad as the champion`;
}

function harmText(
  stream: Stream,
  found: StreamFinding,
  { unit, routing, ticks }: Unworded,
  { evidence, tickMs }: Case,
): string {
  const { events, were = 'were bad' } = stream;
  if (found.pairs !== undefined && (found.logEPairs ?? 0) > found.logE) {
    const [ours, theirs] = found.pairs;
    const all = grouped(evidence.mirrored?.pairs ?? ours + theirs);
    return `of ${all} mirrored requests ${grouped(ours + theirs)} ${were} at only one of the two models, and ${grouped(ours)} of these at the candidate`;
  }
  const all = totals(found.cells);
  const bad = grouped(all.candidate.bad + all.champion.bad);
  const from =
    unit === 'user' ? `users with ${events} were users of the candidate` : `${events} came from the candidate`;
  return `${grouped(all.candidate.bad)} of ${bad} ${from}${hadText(all, unit, routing)}: over ${spanText(ticks * tickMs)}, ${ratesText(stream, all, unit, tickMs, 'its')}`;
}

/** A share is named only if there was one. */
function hadText({ weights, share }: Totals, unit: Rules['unit'], routing: Rules['routing']): string {
  if (routing === 'realised') return `, which had ${percent(share)} of the requests`;
  const [weight] = weights;
  if (weights.length === 1 && unit === 'request') return `'s ${weight} % of the traffic`;
  const had = weights.map((each) => `${each} %`).join(', then ');
  return `, which had ${had} of the ${unit === 'user' ? 'users' : 'traffic'}`;
}

function promotionText({ guardrails, beta, lastWeight, unit, ticks }: Unworded, given: Case): string {
  const { rules, evidence, tickMs } = given;
  const deciding = rules.guardrails.filter((rule) => rule.alphaShare > 0 && !unmeasured(evidence, rule));
  const measured = deciding.flatMap((rule) => {
    if (rule.loss !== undefined) return [lossText(given)];
    const found = guardrails.find(({ name }) => name === rule.name)?.streams ?? [];
    return rule.streams.flatMap((stream) => {
      const cell = found.find(({ id }) => id === stream.id)?.cells[String(lastWeight)];
      return stream.promotes && cell !== undefined ? [ratesText(stream, totals({ '': cell }), unit, tickMs)] : [];
    });
  });
  const where = measured.length > 1 ? ' in one of these' : '';
  const excluded = [...new Set(deciding.map((rule) => excludedText(rule, unit, where)))].join(', or ');
  const rollouts = grouped(Math.floor(1 / beta + 1e-9));
  return `after ${spanText(ticks * tickMs)}, at ${lastWeight} % of the traffic: ${measured.join('; ')}; a candidate that is ${excluded}, would get this far in at most 1 rollout in ${rollouts}`;
}

const excludedText = ({ loss, margin, floor }: Guardrail, unit: Rules['unit'], where: string): string =>
  loss === undefined
    ? `${margin} times as bad as the champion${where}, and bad for at least ${percent(floor)} of its ${unit}s`
    : `worse by ${loss.margin} in its average loss`;

/** The mean is unbiased, as it is what the bets are on. */
function lossText({ evidence }: Case): string {
  const { labels, sum } = evidence.labels?.harm ?? { labels: 0, sum: 0 };
  const mean = Number((sum / Math.max(1, labels)).toPrecision(2));
  const compared = mean > 0 ? `${mean} above` : mean < 0 ? `${-mean} below` : 'the same as';
  return `over ${grouped(labels)} labels the candidate's average loss is ${compared} the champion's (a loss is at most 1)`;
}

interface ArmTotals {
  readonly bad: number;
  readonly of: number;
}
interface Totals {
  readonly candidate: ArmTotals;
  readonly champion: ArmTotals;
  readonly weights: readonly string[];
  readonly share: number;
}

function totals(cells: Cells): Totals {
  const entries = Object.entries(cells);
  const sum = (count: (cell: Cells[string]) => number) => entries.reduce((total, [, cell]) => total + count(cell), 0);
  const arm = (whose: 'candidate' | 'champion') => ({
    bad: sum((cell) => cell[whose] + cell[`${whose}Alone`]),
    of: sum((cell) => cell[`${whose}Requests`]),
  });
  const [candidate, champion] = [arm('candidate'), arm('champion')];
  const share = candidate.of / Math.max(1, candidate.of + champion.of);
  return { candidate, champion, weights: entries.map(([weight]) => weight), share };
}

/** `1.7 % of the candidate's 1,000 requests failed (17), and 0.39 % of the champion's 9,000 (35)`. */
function ratesText(
  { counted = 'requests', were = 'were bad', events }: Stream,
  { candidate, champion }: Totals,
  unit: Rules['unit'],
  tickMs: number,
  whose: "the candidate's" | 'its' = "the candidate's",
): string {
  // A user is at risk in each tick until the first bad request, so these shares are those of a tick.
  if (unit === 'user')
    return `in an average ${spanText(tickMs).replace(/^1 /, '')} ${rateOf(candidate)} of ${whose} users had their first ${events} (${grouped(candidate.bad)} in all), and ${rateOf(champion)} of the champion's (${grouped(champion.bad)})`;
  return `${rateOf(candidate)} of ${whose} ${grouped(candidate.of)} ${counted} ${were} (${grouped(candidate.bad)}), and ${rateOf(champion)} of the champion's ${grouped(champion.of)} (${grouped(champion.bad)})`;
}

/** Two digits tell all; near 100 % three do. */
const rateOf = ({ bad, of }: ArmTotals): string =>
  of === 0 ? 'none' : percent(bad / of < 0.1 ? Number((bad / of).toPrecision(2)) : bad / of);

const strength = ({ logE, logEPairs = logE }: StreamFinding): number => Math.max(logE, logEPairs);

/** E with two digits, rounded down: 4344.8 as `4,300`. */
function rare(logE: number): string {
  if (logE > Math.log(1e6)) return 'a million';
  const value = Math.exp(logE);
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return grouped(Math.floor(value / unit) * unit);
}
