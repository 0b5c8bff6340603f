import { grouped, percent } from '../base/numbers.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import { noBets } from './betting.ts';
import type { Cells, Evidence } from './evidence.ts';
import type { Interval } from './interval.ts';
import { intervalOf, logGuardrail, logHarm, logRouted, logSafe, logStream, unmeasured } from './judge.ts';
import { logPaired } from './paired.ts';
import { type Guardrail, type Rules, ruleVersion } from './rules.ts';

/** All that a reader needs to check how a rollout ended. Logarithms are natural ones. */
export interface Certificate {
  readonly rule: string;
  /** `none`: policy, a person or time ended it, and neither bound was used. */
  readonly verdict: 'rollback' | 'promotion' | 'none';
  readonly sentence: string;
  readonly alpha: number;
  readonly beta: number;
  readonly candidate: number;
  readonly champion?: number;
  /** Ticks that are evidence, and the time (ms) up to which they were read. */
  readonly ticks: number;
  readonly readTo: number;
  /** The candidate's weight (percent) in the last step: a promotion counts only the ticks of that step. */
  readonly lastWeight?: number;
  readonly routing: Rules['routing'];
  readonly unit: Rules['unit'];
  /** Of the family of guardrails; a rollback needs log(1/alpha). */
  readonly logE: number;
  readonly logSampleRatio: number;
  readonly guardrails: readonly GuardrailFinding[];
  /** What was assumed. */
  readonly conditions: readonly string[];
}

/** What one guardrail found. */
export interface GuardrailFinding {
  readonly name: string;
  readonly alphaShare: number;
  readonly toleratedRatio: number;
  readonly margin: number;
  readonly floor: number;
  readonly maxBurst: number;
  readonly logE: number;
  /** `certified`: it reaches 1/alpha with its own part. */
  readonly blame?: 'certified' | 'mostLikely';
  readonly streams: readonly StreamFinding[];
}

export interface StreamFinding {
  readonly id: string;
  readonly cells: Cells;
  /** Mirrored requests with exactly one bad answer: [the candidate's, the champion's]. */
  readonly pairs?: readonly [number, number];
  readonly logE: number;
  /** `log E'` of the last step, where a promotion needs it to reach log(1/beta). */
  readonly logSafe?: number;
  /** Candidate to champion, at level 1 - alpha, if the ratio is constant. */
  readonly ratio: Interval;
}

export interface Case {
  readonly rules: Rules;
  readonly evidence: Evidence;
  readonly candidate: number;
  readonly champion?: number | undefined;
  readonly lastWeight?: number | undefined;
  readonly warmUp: number;
}

/** Without bounds (`none`) `because` says what decided. */
export function certificateOf(
  given: Case,
  decided: { readonly verdict: 'rollback' | 'promotion' } | { readonly verdict: 'none'; readonly because: string },
): Certificate {
  const { rules, evidence, candidate, champion, lastWeight } = given;
  const logE = logHarm(evidence, rules);
  const guardrails = findingsOf(given, decided.verdict === 'rollback');
  const certificate = {
    rule: ruleVersion,
    verdict: decided.verdict,
    alpha: rules.alpha,
    beta: rules.beta,
    candidate,
    ...(champion === undefined ? {} : { champion }),
    ticks: evidence.ticks,
    readTo: evidence.readTo,
    ...(lastWeight === undefined ? {} : { lastWeight }),
    routing: rules.routing,
    unit: rules.unit,
    logE: finite(logE),
    logSampleRatio: logRouted(evidence, rules),
    guardrails,
    conditions: conditionsOf(given),
  };
  return { ...certificate, sentence: sentenceOf(certificate, decided, given) };
}

/** Without a deciding guardrail there is no family: E is 1. */
const finite = (log: number): number => (Number.isFinite(log) ? log : 0);

function findingsOf({ rules, evidence, lastWeight }: Case, blames: boolean): readonly GuardrailFinding[] {
  const findings = rules.guardrails.map(
    (guardrail): GuardrailFinding => ({
      name: guardrail.name,
      alphaShare: guardrail.alphaShare,
      toleratedRatio: guardrail.toleratedRatio,
      margin: guardrail.margin,
      floor: guardrail.floor,
      maxBurst: guardrail.maxBurst,
      logE: logGuardrail(evidence, guardrail, rules),
      streams: guardrail.streams.map((stream) => streamOf(stream, guardrail)),
    }),
  );
  if (!blames) return findings;
  const weighed = ({ alphaShare, logE }: GuardrailFinding) =>
    alphaShare === 0 ? Number.NEGATIVE_INFINITY : Math.log(alphaShare) + logE;
  const worst = Math.max(...findings.map(weighed));
  return findings.map((guardrail): GuardrailFinding => {
    if (guardrail.alphaShare > 0 && weighed(guardrail) >= Math.log(1 / rules.alpha))
      return { ...guardrail, blame: 'certified' };
    return weighed(guardrail) === worst && worst < Math.log(1 / rules.alpha)
      ? { ...guardrail, blame: 'mostLikely' }
      : guardrail;
  });

  function streamOf({ id, promotes }: Stream, guardrail: Guardrail): StreamFinding {
    // The bets are on single losses: no prediction was counted as wrong or right.
    const bets = guardrail.loss === undefined ? undefined : (evidence.labels ?? { harm: noBets, safety: noBets });
    const cells = bets === undefined ? (evidence.streams[id] ?? {}) : {};
    const pairs = evidence.pairs[id];
    const certifies = promotes && lastWeight !== undefined && !unmeasured(evidence, guardrail);
    return {
      id,
      cells,
      ...(pairs === undefined ? {} : { pairs }),
      logE: bets === undefined ? logStream(cells, guardrail) : bets.harm.logK,
      ...(certifies ? { logSafe: bets === undefined ? logSafe(cells, lastWeight, guardrail) : bets.safety.logK } : {}),
      ratio: intervalOf(cells, guardrail, rules.alpha),
    };
  }
}

function conditionsOf({ rules, evidence, warmUp, champion }: Case): readonly string[] {
  const { routing, unit, guardrails, off } = rules;
  const bursts = guardrails.filter(({ maxBurst }) => maxBurst > 1);
  const worst = guardrails.some(({ streams }) => streams.some(({ id }) => id === 'labels.worst'));
  const blind = guardrails.filter((guardrail) => unmeasured(evidence, guardrail));
  return [
    ...(champion === undefined ? ['a first version has no champion: only absolute limits were applied'] : []),
    routing === 'configured'
      ? `share: the weight that was set; each ${unit} is routed by a fresh coin`
      : 'share: what came; outcomes are independent given a tick, and do not move the share',
    unit === 'user'
      ? "unit: the user's first bad request; a promotion goes by the users still at risk, and does not certify latency"
      : 'unit: the request',
    ...(guardrails.some(({ maxBurst }) => maxBurst === 1)
      ? ['bad requests of one tick do not share a cause in one arm alone']
      : []),
    ...bursts.map(({ name, maxBurst }) => `${name}: at most ${maxBurst} bad requests of a tick and arm share a cause`),
    warmUpText(rules, warmUp),
    ...guardrails.flatMap((guardrail) =>
      guardrail.condition === undefined || blind.includes(guardrail)
        ? []
        : [`${guardrail.name}: ${guardrail.condition}`],
    ),
    ...(evidence.labels === undefined
      ? []
      : [
          `labels: ${grouped(evidence.labels.labelled)} of ${grouped(evidence.labels.requests)} requests had one; ${worst ? 'the others are taken at their worst' : 'whether one comes does not depend on the model'}`,
        ]),
    ...(evidence.mirrored === undefined
      ? []
      : [
          `${grouped(evidence.mirrored.pairs)} requests mirrored, ${grouped(evidence.mirrored.dropped)} copies never sent, which count nowhere; one pair an entity`,
        ]),
    ...blind.map(({ name }) => `${name}: not judged, the platform does not measure it`),
    ...off.map(({ name, because }) => `${name}: not judged, ${because}`),
  ];
}

function warmUpText({ edition }: Rules, warmUp: number): string {
  if (warmUp === 0) return 'no warm-up';
  const [ticks, are] = warmUp === 1 ? ['tick', 'is'] : [`${warmUp} ticks`, 'are'];
  return edition === 1
    ? `warm-up: the first ${ticks} ${are} no evidence`
    : `warm-up: the first ${ticks} after each change of weight ${are} no evidence about latency`;
}

type Unworded = Omit<Certificate, 'sentence'>;

function sentenceOf(unworded: Unworded, decided: Parameters<typeof certificateOf>[1], given: Case): string {
  switch (decided.verdict) {
    case 'rollback':
      return rollbackSentence(unworded, given);
    case 'promotion':
      return promotionSentence(unworded, given);
    case 'none':
      return `Without certificate: ${decided.because.replace(/\.$/, '')}.`;
  }
}

function rollbackSentence({ guardrails, logE, unit, routing }: Unworded, { rules }: Case): string {
  const blamed = guardrails
    .filter(({ blame }) => blame !== undefined)
    .reduce((a, b) => (Math.log(b.alphaShare) + b.logE > Math.log(a.alphaShare) + a.logE ? b : a));
  const tolerated = blamed.toleratedRatio === 1 ? 'no worse' : `at most ${blamed.toleratedRatio} times as bad`;
  const odds = `if it were ${tolerated}, evidence this strong would ever appear in at most 1 rollout in ${rare(logE)}.`;
  const rule = rules.guardrails.find(({ name }) => name === blamed.name);
  const loss = rule?.loss;
  if (loss !== undefined)
    return `Rolled back: the candidate's predictions lose more than the champion's; if they lost at most ${loss.tolerated} more, evidence this strong would ever appear in at most 1 rollout in ${rare(logE)}.`;
  const worst = blamed.streams.reduce((a, b) => (strength(b, blamed) > strength(a, blamed) ? b : a));
  const what = eventsOf(rule, worst.id, unit);
  const { candidate, champion, weights, share } = totals(worst.cells);
  if (worst.pairs !== undefined && pairsLog(worst, blamed) > worst.logE) {
    const [ours, theirs] = worst.pairs;
    return `Rolled back: of ${grouped(ours + theirs)} mirrored requests with exactly one bad answer (${what}) it was the candidate's in ${grouped(ours)}; ${odds}`;
  }
  // A share is named only if there was one.
  const from =
    routing === 'realised'
      ? `the candidate, which had ${percent(share)} of the requests`
      : weights.length === 1
        ? `the candidate's ${weights[0]} % of traffic`
        : `the candidate, which had ${weights.join(', ')} % of the traffic`;
  return `Rolled back: ${grouped(candidate)} of ${grouped(candidate + champion)} ${what} came from ${from}; ${odds}`;
}

const pairsLog = ({ pairs = [0, 0] }: StreamFinding, { toleratedRatio, maxBurst }: GuardrailFinding): number =>
  logPaired(pairs[0] / maxBurst, pairs[1] / maxBurst, toleratedRatio);
const strength = (stream: StreamFinding, found: GuardrailFinding): number =>
  Math.max(stream.logE, pairsLog(stream, found));

function promotionSentence({ guardrails, beta, lastWeight, unit }: Unworded, given: Case): string {
  const { rules, evidence } = given;
  const ruleOf = (name: string) => rules.guardrails.find((guardrail) => guardrail.name === name);
  const deciding = guardrails.filter(({ alphaShare, name }) => {
    const rule = ruleOf(name);
    return alphaShare > 0 && rule !== undefined && !unmeasured(evidence, rule);
  });
  const counted = deciding.flatMap(({ name, streams }) => {
    if (ruleOf(name)?.loss !== undefined) return [`${grouped(evidence.labels?.safety.labels ?? 0)} losses`];
    const shown = streams.find(({ logSafe }) => logSafe !== undefined);
    const cell = shown?.cells[String(lastWeight)];
    if (cell === undefined) return [];
    const share = (whose: string, bad: number, of: number) =>
      `${percent(bad / Math.max(1, of))} (${grouped(bad)}) of the ${whose}'s ${grouped(of)}`;
    const ours = share('candidate', cell.candidate + cell.candidateAlone, cell.candidateRequests);
    const theirs = share('champion', cell.champion + cell.championAlone, cell.championRequests);
    return [`${eventsOf(ruleOf(name), shown?.id, unit)}: ${ours}, ${theirs}`];
  });
  const excluded = deciding.map(({ name, margin, floor }) => {
    const loss = ruleOf(name)?.loss;
    return loss === undefined
      ? `${margin} times as bad, and bad in at least ${percent(floor)},`
      : `${loss.margin} worse in loss`;
  });
  const odds = `in at most 1 rollout in ${grouped(Math.floor(1 / beta + 1e-9))}`;
  return `Promoted: at ${lastWeight} %, ${counted.join('; ')}; a candidate ${[...new Set(excluded)].join(', or ')} would get this far ${odds}.`;
}

/** `failed requests`, `requests slower than 120 ms (the champion's p90)`, `wrong predictions`, of a segment. */
function eventsOf(guardrail: Guardrail | undefined, id: string | undefined, unit: Rules['unit']): string {
  const events = guardrail?.streams.find((stream) => stream.id === id)?.events ?? 'bad requests';
  return unit === 'user' ? `first ${events}` : events;
}

function totals(cells: Cells) {
  const entries = Object.entries(cells);
  const sum = (count: (cell: Cells[string]) => number) => entries.reduce((total, [, cell]) => total + count(cell), 0);
  const requests = sum((cell) => cell.candidateRequests);
  return {
    candidate: sum((cell) => cell.candidate + cell.candidateAlone),
    champion: sum((cell) => cell.champion + cell.championAlone),
    weights: entries.map(([weight]) => weight),
    share: requests / Math.max(1, requests + sum((cell) => cell.championRequests)),
  };
}

/** E with two digits, rounded down: 4344.8 as `4,300`. */
function rare(logE: number): string {
  if (logE > Math.log(1e6)) return 'a million';
  const value = Math.exp(logE);
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return grouped(Math.floor(value / unit) * unit);
}
