import { turningPoint } from '../base/log.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import type { Cell, Evidence } from './evidence.ts';
import { shortfalls } from './judge.ts';
import type { Rules } from './rules.ts';
import { logSafe } from './safe.ts';
import { weatherOf } from './weather.ts';

/** What one stream lacks for a promotion. */
export interface Lack {
  readonly stream: Stream;
  readonly logE: number;
  /** Of the last step; absent: nothing was counted yet, or it is judged by losses. */
  readonly cell?: Cell;
  /**
   * How many times as long as until now it takes in the last step, if both arms go on as they did; absent: longer than
   * anybody waits.
   */
  readonly times?: number;
}

/** Nobody waits so many times as long. */
const mostTimes = 10_000;

/**
 * What a promotion still lacks in each stream, longest first. It is about the median of what may come, not a bound:
 * nothing is decided by it.
 */
export function lacks(evidence: Evidence, weight: number, rules: Rules): readonly Lack[] {
  const needed = Math.log(1 / rules.beta);
  const missing = (shortfalls(evidence, weight, rules) ?? []).flatMap(({ stream: id, logE }): readonly Lack[] => {
    const guardrail = rules.guardrails.find(({ name, streams }) => name === id || streams.some((one) => one.id === id));
    const stream = guardrail?.streams.find((one) => one.id === id || guardrail.loss !== undefined);
    if (guardrail === undefined || stream === undefined) return [];
    if (guardrail.loss !== undefined) return [{ stream, logE, ...inTime(needed / logE) }];
    const cell = evidence.streams[id]?.[String(weight)];
    return cell === undefined || cell.candidateRequests === 0
      ? [{ stream, logE }]
      : [{ stream, logE, cell, ...inTime(timesAsMuch(evidence, stream, { weight, guardrail, rules })) }];
  });
  return missing.toSorted((a, b) => (b.times ?? mostTimes) - (a.times ?? mostTimes));
}

const inTime = (times: number): Pick<Lack, 'times'> => (times >= 1 && times < mostTimes ? { times } : {});

function timesAsMuch(evidence: Evidence, stream: Stream, at: Parameters<typeof logSafe>[2]): number {
  const needed = Math.log(1 / at.rules.beta);
  const missing = (times: number) => needed - logSafe(multiplied(evidence, stream.id, at.weight, times), stream, at);
  return missing(mostTimes) >= 0 ? mostTimes : turningPoint(1, mostTimes, missing);
}

/** What the stream would have come to with so many times as much of the same in the last step. */
function multiplied(evidence: Evidence, id: string, weight: number, times: number): Evidence {
  const weather = weatherOf(evidence, id);
  const cell = evidence.streams[id]?.[weight];
  if (weather === undefined || cell === undefined) return evidence;
  const more: Cell = {
    candidate: cell.candidate * times,
    champion: cell.champion * times,
    candidateAlone: cell.candidateAlone * times,
    championAlone: cell.championAlone * times,
    candidateRequests: cell.candidateRequests * times,
    championRequests: cell.championRequests * times,
  };
  const { routing } = evidence;
  const came = (count: number): number => count * times;
  return {
    ...evidence,
    ...(routing === undefined
      ? {}
      : {
          routing: {
            ...routing,
            came: { candidate: came(routing.came.candidate), champion: came(routing.came.champion) },
          },
        }),
    streams: { [id]: { [weight]: more } },
    weather: { ...evidence.weather, [id]: { ...weather, safe: (weather.safe ?? [0]).map((log) => log * times) } },
  };
}
