import type { Cell } from './evidence.ts';
import { type Routing, routedAt } from './routing.ts';

/** A smaller part of the champion's requests may be direct calls, as long as they are bad no more often than others. */
const most = 1 / 4;

/**
 * Calls of the champion that do not come through the endpoint, such as health checks. If they are slow or fail they make
 * the champion look worse, and a candidate as bad as the margin would be promoted.
 *
 * They show in the numbers of requests alone: the champion then has more than its share. A certificate assumes that they
 * are bad no more often than other requests, and the share by which the candidate is judged reckons with them
 * (routing.ts). Where they are more than a quarter of the champion's requests, and more than a standard deviation of what
 * chance does, it does not rely on that: as many of its bad requests as the excess and three standard deviations speak for
 * nobody. A promotion then needs both: the evidence as it is, and the likelihood ratio of all bad requests of the last
 * step without these.
 *
 * Proved: the lesser of two is no more than either, so for requests that come through the endpoint the bound of a promotion
 * is what it is without this rule. With direct calls it is the bound of origin.ts, where they are no more than is
 * subtracted: each bad request of the champion that is left out makes the ratio smaller.
 *
 * Measured: with six calls a minute at a last step of 50 % none of the candidates at the margin is promoted at 10 and 20
 * requests a minute, whether all, half or none of the calls are bad. From about 40 requests a minute on six calls are a
 * smaller part: then bad ones promote such a candidate, which the condition in the certificate names, and good ones cost a
 * healthy candidate nothing.
 */
export function directCalls({ championRequests, shares }: Cell, routing: Routing | undefined, weight: number): number {
  const came = routing === undefined ? undefined : routedAt(routing, weight / 100);
  if (came === undefined || shares !== undefined) return 0;
  const { candidate, champion } = came;
  const odds = (100 - weight) / weight;
  const excess = champion - candidate * odds;
  const chance = Math.sqrt(champion + candidate * odds * odds);
  if (excess <= Math.max(chance, champion * most)) return 0;
  return (championRequests * Math.min(champion, excess + 3 * chance)) / champion;
}
