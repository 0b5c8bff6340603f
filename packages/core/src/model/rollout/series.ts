import { Fault } from '../../base/fault.ts';
import type { Arm } from '../../judge/compared.ts';
import type { Evidence } from '../../judge/evidence.ts';
import type { Interval } from '../../judge/interval.ts';
import { intervalOf, logGuardrail, logHarm, logRouted } from '../../judge/judge.ts';
import { toleranceOf } from '../../judge/noise.ts';
import type { Rules } from '../../judge/rules.ts';
import { logSafe } from '../../judge/safe.ts';
import type { Entry } from '../../ports/journal.ts';
import { countLabels, countTicks, rulesFor } from './evidence.ts';
import { type Reading, readingIn, rolloutFollower } from './follow.ts';
import { candidateWeight, lastWeight, type Rollout } from './state.ts';
import { isOlder } from './verify.ts';

/** What the judge knew after a tick. Counts are those since the rollout began, and logarithms are natural ones. */
export interface EvidencePoint {
  readonly at: number;
  /** The candidate's, in percent. */
  readonly weight: number;
  readonly candidate: Arm;
  readonly stable: Arm;
  /** Of the family of guardrails; a rollback needs log(1/alpha). */
  readonly logE: number;
  /** Whether the requests are shared out as configured; log(1000) says that they are not. */
  readonly logSampleRatio: number;
  /** `log E` of harm by guardrail. */
  readonly guardrails: Readonly<Record<string, number>>;
  readonly streams: Readonly<Record<string, StreamPoint>>;
}

export interface StreamPoint {
  /** Where a promotion needs it to reach log(1/beta). */
  readonly logSafe?: number;
  /** Bad shares, candidate to champion. */
  readonly ratio: Interval;
  /** The ratio that was no harm then; absent: it is judged otherwise than tick by tick. */
  readonly tolerated?: number;
}

/** How a rollout was judged, tick by tick. */
export interface EvidenceSeries {
  readonly alpha: number;
  readonly beta: number;
  readonly unit: Rules['unit'];
  /** Percent: only at this weight the evidence speaks for a promotion. */
  readonly lastWeight: number;
  readonly guardrails: readonly {
    readonly name: string;
    readonly alphaShare: number;
    /** The ratio above which the candidate does harm, and the one that a promotion excludes. */
    readonly toleratedRatio: number;
    readonly margin: number;
    readonly streams: readonly { readonly id: string; readonly events: string }[];
  }[];
  /** What the candidate was meant to have, since when. */
  readonly weights: readonly { readonly at: number; readonly weight: number }[];
  /** Oldest first. Of a long rollout only some, evenly, and always the last. */
  readonly points: readonly EvidencePoint[];
}

export interface SeriesReader {
  /** The entries of the model that follow, oldest first and from its first one on. */
  take(entries: readonly Entry[]): void;
  /** `undefined`: these entries have no such rollout, or it began under rules that are not judged any more. */
  series(): EvidenceSeries | undefined;
}

interface Known {
  readonly at: number;
  readonly weight: number;
  readonly evidence: Evidence;
  readonly rules: Rules;
}

/** Judges the ticks of a rollout again, one by one. At most `most` points are answered. */
export function seriesReader(id: string, most = 500): SeriesReader {
  const follow = rolloutFollower(id);
  const weights: { readonly at: number; readonly weight: number }[] = [];
  let known: Known[] = [];
  let newest: Rollout | undefined;

  function judge(entry: Entry): void {
    const change = follow(entry);
    if (change === undefined || isOlder(change)) return;
    newest = change.now;
    const reading = readingIn(entry, id);
    if (reading !== undefined && change.was !== undefined)
      for (const point of pointsOf(change.was, reading)) add(point);
    const weight = candidateWeight(change.now);
    if (weights.at(-1)?.weight !== weight) weights.push({ at: entry.at, weight });
  }

  function add(point: Known): void {
    known.push({ ...point, at: Math.max(point.at, known.at(-1)?.at ?? 0) });
    if (known.length > 4 * most) known = thinned(known, 2 * most);
  }

  return {
    take: (entries) => entries.forEach(judge),
    series() {
      if (newest === undefined) return undefined;
      const { alpha, beta, unit, guardrails } = rulesFor(newest);
      const last = lastWeight(newest);
      return {
        ...{ alpha, beta, unit, lastWeight: last },
        guardrails: guardrails.map(({ name, alphaShare, toleratedRatio, margin, streams }) => ({
          ...{ name, alphaShare, toleratedRatio, margin },
          streams: streams.map(({ id, events }) => ({ id, events })),
        })),
        weights,
        points: thinned(known, most).map((point) => pointOf(point, last)),
      };
    },
  };
}

function pointsOf(rollout: Rollout, reading: Reading & { readonly at: number }): readonly Known[] {
  const weight = candidateWeight(rollout);
  const rules = rulesFor(rollout);
  try {
    if (reading.type === 'labelsRead')
      return [{ at: reading.at, weight, rules, evidence: countLabels(rollout, reading).evidence }];
    return tickByTick(rollout, reading).map((evidence) => ({ at: evidence.readTo, weight, rules, evidence }));
  } catch (error) {
    // The machine held the rollout, because these counts cannot be.
    if (error instanceof Fault) return [];
    throw error;
  }
}

function tickByTick(rollout: Rollout, reading: Extract<Reading, { type: 'ticksRead' }>): readonly Evidence[] {
  const found: Evidence[] = [];
  let { evidence } = rollout;
  for (const tick of reading.ticks) {
    const to = Math.min(reading.to, tick.start + rollout.plan.tick);
    const counted = countTicks({ ...rollout, evidence }, { ...reading, ticks: [tick], to });
    if (counted.evidence.readTo === evidence.readTo) continue;
    evidence = counted.evidence;
    found.push(evidence);
    if (['harm', 'limit', 'harmAsCame'].includes(counted.verdict.kind)) break;
  }
  return found;
}

function pointOf({ at, weight, evidence, rules }: Known, last: number): EvidencePoint {
  const streams = rules.guardrails.flatMap((guardrail) =>
    guardrail.streams.map((stream): readonly [string, StreamPoint] => {
      const { id, promotes } = stream;
      const safe =
        guardrail.loss === undefined
          ? logSafe(evidence, stream, { weight: last, guardrail, rules })
          : (evidence.labels?.safety.logK ?? 0);
      const { tolerated } = toleranceOf(evidence, id, guardrail) ?? {};
      return [
        id,
        {
          ...(promotes ? { logSafe: finite(safe) } : {}),
          ...(tolerated === undefined ? {} : { tolerated }),
          ratio: intervalOf(evidence, id, guardrail, rules),
        },
      ];
    }),
  );
  return {
    ...{ at, weight },
    candidate: evidence.candidate,
    stable: evidence.stable,
    logE: finite(logHarm(evidence, rules)),
    logSampleRatio: finite(logRouted(evidence)),
    guardrails: Object.fromEntries(
      rules.guardrails.map((guardrail) => [guardrail.name, finite(logGuardrail(evidence, guardrail, rules))]),
    ),
    streams: Object.fromEntries(streams),
  };
}

/** Without a guardrail that decides E is 1. */
const finite = (log: number): number => (Number.isFinite(log) ? log : 0);

/** At most `most` of them, evenly, with the first and the last. */
function thinned<Point>(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, index) => {
    const at = Math.round((index * (points.length - 1)) / (most - 1));
    return points[at] as Point; // within the list
  });
}
