import { countText, grouped, percent } from '../base/numbers.ts';
import { durationText } from '../base/time.ts';
import { directCalls } from './direct.ts';
import type { Evidence } from './evidence.ts';
import { fewestTicks, type MeasureHistory } from './history.ts';
import { toleranceOf } from './noise.ts';
import { directPerMinute, leftOutText, type Routing, shareAgainst, timesForgiven } from './routing.ts';
import type { Guardrail, Rules } from './rules.ts';
import { isUnlike, pastsOf } from './safe.ts';
import { togetherText } from './together.ts';
import { independent } from './weather.ts';

/** What the conditions of a certificate are read from. */
export interface Assumed {
  readonly rules: Rules;
  readonly evidence: Evidence;
  readonly champion?: number | undefined;
  readonly warmUp: number;
  /** The candidate's weight in the last step, in percent. */
  readonly lastWeight?: number | undefined;
  readonly verdict: 'rollback' | 'promotion' | 'none';
  /** Guardrails that the platform did not count. */
  readonly unmeasured: readonly Guardrail[];
}

/** What makes a condition untrue, and what to do where that is so. */
export interface Break {
  readonly breaks: string;
  readonly mend: string;
}

interface Row extends Break {
  /** What is assumed in this rollout, one sentence each; none: nothing of the kind. */
  readonly assumes: (given: Assumed) => readonly string[];
}

const only = (holds: boolean, text: string): readonly string[] => (holds ? [text] : []);
const isJudged = ({ champion }: Assumed): boolean => champion !== undefined;
const shares =
  (routing: Rules['routing'], textOf: (unit: Rules['unit']) => string) =>
  (given: Assumed): readonly string[] =>
    only(isJudged(given) && given.rules.routing === routing, textOf(given.rules.unit));
const units = (unit: Rules['unit'], text: string) => (given: Assumed) =>
  only(isJudged(given) && given.rules.unit === unit, text);
const labelled = ({ evidence: { labels } }: Assumed, missing: string): readonly string[] =>
  labels === undefined
    ? []
    : [`${grouped(labels.labelled)} of ${countText(labels.requests, 'request')} had a label: ${missing}`];
const othersIn = ({ rules: { routing, unit } }: Assumed): string =>
  routing === 'configured' && unit === 'request'
    ? `nothing else but at most ${directPerMinute} direct calls a minute of either, which are bad no more often than the others`
    : 'nothing else was';
const takesWorst = ({ rules }: Assumed): boolean =>
  rules.guardrails.some(({ streams }) => streams.some(({ id }) => id === 'labels.worst'));

/** By which share the candidate is judged now, if that is not the weight. */
function judgedTexts(routing: Routing | undefined, { unit }: Rules): readonly string[] {
  if (routing === undefined) return [];
  const { share } = routing;
  const judged = shareAgainst(routing, { share, unit });
  const text = `the candidate is judged by ${percent(judged)} of the requests in place of ${percent(share)}, because so many came to it, and they ended as others do`;
  return only(judged > share, text);
}

/** How many of the champion's bad requests may be direct calls, by the streams that a promotion needs. */
function directTexts(given: Assumed): readonly string[] {
  const { evidence, lastWeight = 0 } = given;
  const streams = ticked(given).flatMap((guardrail) => guardrail.streams.filter(({ promotes }) => promotes));
  return together(
    streams.flatMap(({ id }): readonly (readonly [string, string])[] => {
      const cell = evidence.streams[id]?.[lastWeight];
      const direct = cell === undefined ? 0 : Math.ceil(directCalls(cell, evidence.routing, lastWeight));
      const because = 'the champion got more requests than its share';
      return direct === 0
        ? []
        : [
            [
              id,
              `${because}: ${grouped(direct)} may be direct calls, and as many bad ones say nothing for the candidate`,
            ],
          ];
    }),
  );
}

const ticked = ({ rules, unmeasured }: Assumed): readonly Guardrail[] =>
  rules.guardrails.filter((guardrail) => guardrail.clock === 'ticks' && !unmeasured.includes(guardrail));

/** A text that several guardrails have is told once. */
function together(texts: readonly (readonly [name: string, text: string])[]): readonly string[] {
  const names = new Map<string, readonly string[]>();
  for (const [name, text] of texts) names.set(text, [...new Set([...(names.get(text) ?? []), name])]);
  return [...names].map(([text, own]) => `${own.join(' and ')}: ${text}`);
}

/** What is tolerated besides the config, and why; of the streams of one reason the largest. */
function toleratedTexts(given: Assumed): readonly string[] {
  const { evidence, rules } = given;
  return together(
    ticked(given).flatMap((guardrail) => {
      const largest = new Map<string, number>();
      for (const { id, measure, segment } of guardrail.streams) {
        const tolerance = segment === undefined ? toleranceOf(evidence, id, guardrail) : undefined;
        if (tolerance === undefined) continue;
        const because = noiseText(tolerance.noise, guardrail.climates[id]?.tau, variedBefore(rules, measure));
        largest.set(because, Math.max(largest.get(because) ?? 0, tolerance.tolerated));
      }
      return [...largest].map(([because, ratio]): [string, string] => [
        guardrail.name,
        `up to ${Number(ratio.toPrecision(3))} times as bad as the champion is tolerated, because ${because}`,
      ]);
    }),
  );
}

/** A champion that was young does not show how it varies. */
const variedBefore = ({ history }: Rules, measure: string): MeasureHistory | undefined =>
  history === undefined || history.ticks < fewestTicks ? undefined : history.measures[measure];

/** Each of the two arms has its part of the noise between them. */
const sdText = (noise: number): string => percent(Number((noise / Math.SQRT2).toPrecision(1)));

function noiseText(noise: number, before: number | undefined, known: MeasureHistory | undefined): string {
  const allowed = `${sdText(noise)} from tick to tick is allowed for`;
  if (before !== undefined && noise > before * 1.01)
    return `the models varied by about ${sdText(noise)} from tick to tick in this rollout`;
  if (known === undefined) return `nothing is known of how the champion varies by itself: ${allowed}`;
  if (known.calm) return `the champion's ticks scattered no more than chance may explain: ${allowed}`;
  return known.noise === undefined
    ? `the champion's counts are too few to see how it varies by itself: ${allowed}`
    : `the champion itself varied by about ${sdText(known.noise)} beyond chance: ${allowed}`;
}

const rarely = 1e-4;

/** The tax on each tick pays for so rare a burst, whatever its size (weather.ts). */
function burstText({ streams, climates }: Guardrail, { history }: Rules): string {
  const assumed = 'nothing but its version makes many requests of one model bad at once';
  const share = Math.max(
    ...streams.map(({ id }) => climates[id] ?? independent).map(({ tax, cap }) => Math.expm1(tax) / (cap - 1)),
  );
  const span = history === undefined ? '' : durationText(history.to - history.from);
  if (share <= rarely)
    return `${assumed}; in no five minutes of its last ${span}, and in none of its last ${countText(history?.ticks ?? 0, 'tick')}, had the champion far more bad requests than just before and after; what lasted for more than an hour may not be among these`;
  const rare = `${assumed}, but in at most one tick of ${grouped(Math.round(1 / share))}, and not in several in a row`;
  const incidents = Math.max(0, ...streams.map(({ measure }) => history?.measures[measure]?.incidents ?? 0));
  return incidents === 0
    ? rare
    : `${rare}; the champion had ${countText(incidents, 'moment')} like that in its last ${span}, and one that hits the candidate alone for minutes may be taken for its fault`;
}

/** Where both models fail at the same requests, more is tolerated of the shares than of what they do not share. */
const ofCopies = (guardrails: readonly Guardrail[]): string =>
  guardrails.some(({ toleratedRatio }) => toleratedRatio > 1)
    ? '; of the copies a toleratedRatio above 1 holds for the answers that are bad at only one of the two models'
    : '';

/** Every condition that a certificate can have, in the order in which they are told. */
const rows = {
  firstVersion: {
    assumes: ({ champion }) =>
      only(champion === undefined, 'there was no champion to compare it with: only the absolute limits protected you'),
    breaks: 'it is worse than what you had before, but not so bad that a limit is reached',
    mend: 'look at its errors yourself',
  },
  share: {
    assumes: shares(
      'configured',
      (unit) => `each ${unit} was sent to a model by a fresh coin, with the weight that was set`,
    ),
    breaks:
      'something in front of the endpoint sends requests to one model because of what they ask, or answers some of them from a cache',
    mend: "set routing: 'realised', or put the cache behind the endpoint",
  },
  shareThatCame: {
    assumes: (given) => [
      ...shares(
        'realised',
        () =>
          'how many requests a model got did not depend on how they ended, and within a tick they ended independently of each other and of the share that the model had',
      )(given),
      ...ticked(given)
        .filter(({ toleratedRatio }) => isJudged(given) && given.rules.routing === 'realised' && toleratedRatio > 1)
        .map(({ name }) => `${name}: alpha is not proved for a toleratedRatio above 1`),
    ],
    breaks:
      'an answer changes which model the next requests get, for example because callers repeat those that failed, or a balancer sends less to a model that is slow',
    mend: "set routing: 'configured' where the platform routes by a weight",
  },
  counted: {
    assumes: (given) =>
      only(
        isJudged(given),
        `all requests of both models were counted in the same way, each in the tick in which it was routed, and ${othersIn(given)}`,
      ),
    breaks:
      'health checks or tests call one model directly more often, fail for reasons of their own, are so many at both that bad requests look rare, or have the header of one segment; failures of one model never reach the counts; or answers take as long as a tick, and the platform counts them when they end',
    mend: 'send them through the endpoint as other requests are, and count where requests come in',
  },
  leftOut: {
    assumes: ({ evidence: { routing } }) => {
      const text = routing === undefined ? undefined : leftOutText(routing);
      return text === undefined ? [] : [`${text}: nothing happened in them that the others do not show`];
    },
    breaks: 'they were requests that nobody could count because a model hung or could not be reached',
    mend: 'look into the logs of the models for that time',
  },
  moreThanWeight: {
    assumes: ({ rules, evidence: { routing } }) => judgedTexts(routing, rules),
    breaks: 'failed requests are sent to it again, or what calls it directly does so in bursts',
    mend: 'send repeats and health checks through the endpoint',
  },
  directCalls: {
    assumes: (given) => (given.verdict === 'rollback' ? [] : directTexts(given)),
    breaks: 'more of its calls than that do not come through the endpoint, and are slow or fail',
    mend: 'send health checks and tests through the endpoint',
  },
  forgivenRouting: {
    assumes: ({ evidence: { routing } }) =>
      only(
        timesForgiven(routing) > 0,
        'it was held because requests were not shared out as configured, and a person resumed it: what had been counted by then counts only against what is decided, but for labels and copies, which count as if all had been as configured',
      ),
    breaks: 'requests are still shared out otherwise, by less than their numbers show',
    mend: 'look at what is in front of the endpoint before you resume',
  },
  requests: {
    assumes: units('request', 'each request counts by itself'),
    breaks: 'a few callers send most of the requests, or repeat a failed one at the same model',
    mend: 'set serve.stickyBy to the header that names the caller, or give the guardrail a maxBurst',
  },
  users: {
    assumes: units(
      'user',
      'each user counts once, with the first bad request; a promotion goes by the users who had none yet, assumes that within a tick they meet it independently of each other, and says nothing about latency',
    ),
    breaks:
      'the key of a user changes between requests, so that one user counts as several; or users differ much, and those who are left at the worse model are those who hardly ever fail',
    mend: 'set serve.stickyBy to a header that stays',
  },
  ownNoise: {
    assumes: (given) => (isJudged(given) ? toleratedTexts(given) : []),
    breaks:
      'one model varies by more than that, or for longer than a quarter of an hour, for reasons of its own, such as slower machines or busy neighbours; this protection is measured, not proved',
    mend: 'raise the toleratedRatio of the guardrail, or give both models the same machines',
  },
  noBursts: {
    assumes: (given) =>
      isJudged(given)
        ? together(
            ticked(given).flatMap((guardrail) =>
              guardrail.maxBurst === 1 ? [[guardrail.name, burstText(guardrail, given.rules)] as const] : [],
            ),
          )
        : [],
    breaks: 'a replica pauses, a disk is full, or a network fails at one model only, for minutes or often',
    mend: 'give the guardrail a maxBurst: as many bad requests as come from one cause',
  },
  bursts: {
    assumes: ({ rules }) =>
      rules.guardrails
        .filter(({ maxBurst }) => maxBurst > 1)
        .map(
          ({ name, maxBurst }) => `${name}: one cause makes at most ${maxBurst} requests of one model bad in a tick`,
        ),
    breaks: 'one incident in one model makes more requests bad in a tick than that',
    mend: 'raise its maxBurst',
  },
  noInterference: {
    assumes: (given) =>
      only(
        isJudged(given),
        `the candidate does not make the champion worse; ${togetherText(given.rules, given.evidence)}`,
      ),
    breaks:
      'both use the same database, accelerator or quota, and the candidate uses it up: both get worse together, and a comparison of the two does not show it',
    mend: 'look at the champion before and after the rollout began, and give the candidate its own of what both use',
  },
  warmUp: {
    assumes: (given) =>
      only(
        isJudged(given) && given.warmUp > 0,
        `a model that has just got more traffic is as fast as usual after ${countText(given.warmUp, 'tick')}; until then its latency does not count`,
      ),
    breaks: 'its caches stay cold for longer than that',
    mend: 'raise warmUp',
  },
  noWarmUp: {
    assumes: (given) =>
      only(isJudged(given) && given.warmUp === 0, 'a model that has just got more traffic is as fast as usual at once'),
    breaks: 'it answers more slowly until its caches are warm',
    mend: 'set warmUp to as many ticks as that takes',
  },
  coldErrors: {
    assumes: (given) =>
      only(
        isJudged(given) && ticked(given).some(({ warmsUp }) => !warmsUp),
        'a model that has just got more traffic fails no more often than later: its errors count from the first request on',
      ),
    breaks: 'the platform answers 503 while it starts more instances',
    mend: 'raise serve.compute.instances.min',
  },
  measured: {
    assumes: ({ rules, unmeasured }) =>
      rules.guardrails.flatMap((guardrail) =>
        guardrail.condition === undefined || unmeasured.includes(guardrail)
          ? []
          : [`${guardrail.name}: ${guardrail.condition}`],
      ),
    breaks: 'what callers ask for has changed since then, so that these times mean something else',
    mend: 'start the rollout again: it measures them again',
  },
  labels: {
    assumes: (given) =>
      takesWorst(given) ? [] : labelled(given, 'whether one comes does not depend on the model that answered'),
    breaks:
      'outcomes of one model are reported more often, or sooner, than those of the other, or the answer decides whether an outcome is ever known, as of a payment that was declined',
    mend: "set labels.missing: 'worst', or wait longer with labels.maturity",
  },
  labelNoise: {
    assumes: ({ evidence: { labels }, rules: { guardrails } }) =>
      labels === undefined
        ? []
        : guardrails
            .filter(({ clock, maxBurst }) => clock === 'labels' && maxBurst === 1)
            .map(
              ({ name }) =>
                `${name}: each counts by itself, and no noise of a model's own is tolerated: nothing but its version makes many predictions of one model wrong at once`,
            ),
    breaks: 'a feature was missing for one model for an hour, or a batch was labelled wrongly',
    mend: 'give the guardrail a maxBurst, or correct the labels',
  },
  labelsAtWorst: {
    assumes: (given) =>
      takesWorst(given) ? labelled(given, 'those without one count against what would be decided') : [],
    breaks: 'a label says something that was not true',
    mend: 'correct where labels come from',
  },
  mirrored: {
    assumes: ({ evidence: { mirrored }, rules: { guardrails, beta }, verdict }) =>
      mirrored === undefined
        ? []
        : [
            ...only(
              verdict === 'promotion',
              `up to half of what a promotion needs comes from the copies, so harm has to show there already: of candidates whose harm begins later up to ${percent(Math.sqrt(beta))} may get through`,
            ),
            `${countText(mirrored.pairs, 'request')} went to both models, and ${countText(mirrored.dropped, 'copy was', 'copies were')} never sent and count nowhere; a copy is answered as the request itself would be${ofCopies(guardrails)}`,
          ],
    breaks:
      'a request changes something in the world, which its copy then changes again; the mirror is slower because it is busy or cold, and copies are dropped for it; or the candidate fails only when it serves',
    mend: 'send copies only of requests that change nothing, and of a smaller share',
  },
  load: {
    assumes: (given) => [
      ...only(
        given.verdict === 'promotion',
        `the candidate's capacity grows with its share: nothing was seen of it with more than ${given.lastWeight ?? 0} % of the traffic`,
      ),
      ...only(given.verdict === 'rollback' && isJudged(given), 'each model has machines in proportion to its share'),
    ],
    breaks: 'the candidate has as few machines for a large share as for a small one, or the traffic grows',
    mend: 'let it scale with its share, and make guard long enough to see the busiest hour',
  },
  everywhere: {
    assumes: (given) =>
      only(
        given.verdict === 'rollback' && isJudged(given),
        'a harmless candidate is no worse than is tolerated in every tick, and in each thing and segment that is watched',
      ),
    breaks: 'it is worse in some and better in others, and good enough on the whole',
    mend: 'raise the toleratedRatio, or leave out the guardrail or segment that does not matter',
  },
  sharedOutage: {
    assumes: ({ rules: { guardrails }, verdict }) =>
      guardrails
        .filter(({ toleratedRatio }) => verdict === 'rollback' && toleratedRatio < 1)
        .map(
          ({ name, toleratedRatio }) =>
            `${name}: a harmless candidate is at most ${toleratedRatio} times as bad also in minutes in which both models fail for one cause`,
        ),
    breaks: 'something fails that both models use',
    mend: 'set the toleratedRatio to 1 or more',
  },
  budget: {
    assumes: (given) =>
      only(
        given.evidence.excess !== undefined,
        "the harm budget holds on average, if each model's share of failures does not change from step to step, and weights do not follow from how many users a model has",
      ),
    breaks: 'later steps are at another time of the day than the first',
    mend: 'give the steps the same length and time of the day, or a smaller harmBudget',
  },
  parts: {
    assumes: (given) =>
      given.verdict === 'promotion'
        ? ticked(given).flatMap(({ name, streams }) => {
            const others = streams.filter(({ promotes }) => !promotes).map(({ events }) => events);
            return others.length === 0
              ? []
              : [`${name}: nothing is excluded of ${others.join(', ')} alone: the candidate may be far worse there`];
          })
        : [],
    breaks: 'it is worse for a part of the requests, and well on the whole',
    mend: 'look at the counts of that part below',
  },
  shownOnly: {
    assumes: ({ rules: { guardrails } }) =>
      guardrails
        .filter(({ alphaShare }) => alphaShare === 0)
        .map(({ name }) => `${name}: a dry run, which decides nothing and is in neither bound`),
    breaks: 'it gets worse, which is shown and changes nothing',
    mend: 'remove dryRun once you trust it',
  },
  everyMinute: {
    assumes: ({ verdict }) =>
      only(
        verdict === 'promotion',
        'harm is excluded that lasts through every tick that was counted: what comes only in rare short bursts is taken for noise, and ticks in which both models fail for one cause count as ticks in which the candidate is no worse',
      ),
    breaks:
      'it fails for a minute or two now and then, such as in a job of its own every hour; or both models fail together for some minutes of the last step, which alone may promote a candidate that is otherwise as bad as the margin',
    mend: 'make bake or guard long enough to see several of these, look at its worst minutes, and roll out again what was promoted during an incident',
  },
  constantRatio: {
    assumes: (given) =>
      only(
        isJudged(given) && given.rules.guardrails.some(({ loss }) => loss === undefined),
        'how many times as often something bad happens does not change during the rollout, but for as much noise as is tolerated, and requests were shared out by the weights: each range that is given for it rests on this, by itself, and nothing that is decided does',
      ),
    breaks:
      'the candidate gets worse with time or with more traffic, one model is called directly, a rollout was resumed after odd routing, missing labels count at their worst, or users stay with their model',
    mend: 'look at the evidence instead, which does not rest on this',
  },
  past: {
    assumes: (given) =>
      given.verdict === 'promotion'
        ? pastsOf(given.rules).flatMap(({ stream, limit }) =>
            isUnlike(given.evidence, stream.id)
              ? []
              : [
                  `${stream.id}: at least ${percent(limit)} of the champion's requests are bad now; that is the least of what it was in the last seven days, by quarter of the day, and in the last day, and a tenth of beta pays for its chance`,
                ],
          )
        : [],
    breaks:
      'the champion is better at this hour or on this day of the week than in its quarter of the day, or has just become better than it was, by less than its requests in this rollout can show, or direct calls of both models make their bad requests look rare or were bad themselves',
    mend: 'roll out at another time of the day, or wait a day after what made it better',
  },
  pastLeftOut: {
    assumes: ({ evidence: { unlike = [] } }) =>
      unlike.map(
        (id) => `${id}: what the champion was like before counts nothing, because it was better in this rollout`,
      ),
    breaks: 'nothing: it only takes longer',
    mend: 'wait until the last step has shown enough by itself',
  },
  laterToo: {
    assumes: ({ verdict }) =>
      only(verdict === 'promotion', 'later requests are like those of the last step: the certificate speaks of these'),
    breaks: 'the requests of the night or of the next week are of another kind',
    mend: 'make bake or guard long enough to see them',
  },
  unmeasured: {
    assumes: ({ unmeasured }) => unmeasured.map(({ name }) => `${name}: not judged, the platform does not measure it`),
    breaks: 'it gets worse, which nobody would notice',
    mend: 'look at it elsewhere',
  },
  off: {
    assumes: ({ rules }) => rules.off.map(({ name, because }) => `${name}: not judged, ${because}`),
    breaks: 'it gets worse, which nobody would notice',
    mend: 'remove what keeps it from being judged, or look at it elsewhere',
  },
} satisfies Readonly<Record<string, Row>>;

export type ConditionId = keyof typeof rows;

export interface Condition {
  readonly id: ConditionId;
  readonly text: string;
}

/** What a certificate rests on. */
export const conditionsOf = (given: Assumed): readonly Condition[] =>
  (Object.entries(rows) as readonly (readonly [ConditionId, Row])[]).flatMap(([id, { assumes }]) =>
    assumes(given).map((text) => ({ id, text })),
  );

/** `undefined`: of a condition that this version does not know, or of a certificate that has no ids. */
export const breakOf = (id: string | undefined): Break | undefined =>
  id !== undefined && Object.hasOwn(rows, id) ? rows[id as ConditionId] : undefined;
