import type { Cell } from './evidence.ts';
import { type Routing, routedAt } from './routing.ts';

/** A smaller part of the champion's requests is not told from chance within minutes. */
const leastSeen = 1 / 20;

/**
 * Calls of the champion that do not come through the endpoint, such as health checks that are slow or fail. They make the
 * champion look worse, and a candidate as bad as the margin would be promoted.
 *
 * They show in the numbers of requests alone: the champion then has more than its share. As soon as that is more than a
 * twentieth of its requests, and more than a standard deviation of what chance does, as many of its bad requests as the
 * excess and three standard deviations speak for nobody. A promotion then needs both: the evidence as it is, and the
 * likelihood ratio of all bad requests of the last step without these.
 *
 * Proved: the lesser of two is no more than either, so for requests that come through the endpoint the bound of a promotion
 * is what it is without this rule. With direct calls it is the bound of origin.ts, where they are no more than is
 * subtracted: each bad request of the champion that is left out makes the ratio smaller.
 *
 * Measured: how often they are more, or not seen in time. Six calls a minute, at a last step of 50 % and 10 to 60 requests a
 * minute, whether all, half or none of them are bad: 4 % at most of the candidates at the margin are promoted, where all
 * were before. A healthy candidate takes a little longer at 60 requests a minute (79 in place of 84 % are certified within half an hour)
 * and no longer at 600. Of more requests six calls are too small a part to be seen: at 100 a minute 17 % are promoted if all
 * of the calls are bad, at 200 two thirds. Fewer calls are not seen either: one a minute, beside 60 requests, that always
 * fails lets nearly all of these candidates through within hours, as the condition in the certificate says. Where the calls are as good as other requests nobody can know it: with few
 * requests there is no certificate by the ratio then.
 */
export function directCalls({ championRequests, shares }: Cell, routing: Routing | undefined, weight: number): number {
  const came = routing === undefined ? undefined : routedAt(routing, weight / 100);
  if (came === undefined || shares !== undefined) return 0;
  const { candidate, champion } = came;
  const odds = (100 - weight) / weight;
  const excess = champion - candidate * odds;
  const chance = Math.sqrt(champion + candidate * odds * odds);
  if (excess <= Math.max(chance, champion * leastSeen)) return 0;
  return (championRequests * Math.min(champion, excess + 3 * chance)) / champion;
}
