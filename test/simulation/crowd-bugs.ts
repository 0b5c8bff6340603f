import type { Ports } from '@serin/core/ports/ports';
import type { Telemetry } from '@serin/core/ports/telemetry';
import { core, type PlantedBug } from './planted.ts';
import type { Fakes } from './universe.ts';

/** A platform that knows nobody any more after a time in which it did not serve. */
function forgetUsers(ports: Ports, { telemetry: fake }: Fakes): Ports {
  const telemetry: Telemetry = {
    ...ports.telemetry('endpoint'),
    async ticks(query) {
      const { usersSince, tickMs, to } = query;
      if (usersSince === undefined) return ports.telemetry('endpoint').ticks(query);
      const unserved = fake.truth({ ...query, from: usersSince, to }).filter((tick) => tick.unserved === true);
      const since = Math.max(usersSince, ...unserved.map(({ start }) => start + tickMs));
      return ports.telemetry('endpoint').ticks({ ...query, usersSince: since });
    },
  };
  return { ...ports, telemetry: () => telemetry };
}

/** Of users, segments, labels, losses and pairs. */
export const crowdBugs: readonly PlantedBug[] = [
  {
    name: 'a user is new again after a time that was not served',
    bugs: { ports: (ports, _, fakes) => forgetUsers(ports, fakes) },
    scenario: 'a machine is restarted while users meet a candidate',
  },
  core(
    'users are new again with each step',
    'model/rollout/steps.ts',
    'usersSince: evidence.usersSince ?? readTo',
    'usersSince: readTo',
    'users who stay with their model, of whom some have nearly all failures',
  ),
  core(
    'all users of a tick are at risk',
    'judge/evidence.ts',
    '{ bad: first.bad, of: first.atRisk }',
    '{ bad: first.bad, of: Math.max(first.bad, users.assigned) }',
    'users who stay with their model, of whom some have nearly all failures',
  ),
  core(
    'a segment of the champion has the counts of the candidate',
    'judge/evidence.ts',
    'badOf(stream, counts[deployment])',
    'badOf(stream, counts[segment === undefined ? deployment : place.candidate])',
    'segments, which are judged by themselves as well',
  ),
  core(
    'segments are not judged',
    'judge/rules.ts',
    'const segments = sticky ? undefined : plan.segments;',
    'const segments = undefined;',
    'segments, which are judged by themselves as well, and a bad candidate',
  ),
  core(
    'a label counts under the weight of its reading',
    'judge/evidence.ts',
    'isChampion(deployment) ? 100 - weight : weight',
    'weight > 0 ? place.weight : 0',
    'labels that come late, or never',
  ),
  core(
    'labels of a window are counted twice',
    'judge/evidence.ts',
    'if (tick.start < known.readTo || guardrail === undefined)',
    'if (tick.start + tickMs < known.readTo || guardrail === undefined)',
    'labels that are told twice',
  ),
  core(
    'a label that lacks speaks for the candidate',
    'judge/evidence.ts',
    '(worst && !harm ? missing(false) : 0)',
    '0',
    'labels that lack more often where the candidate answered, taken at their worst',
  ),
  core(
    'losses are bet on in another order',
    'judge/evidence.ts',
    'for (const row of tick.losses) {',
    'for (const row of tick.losses.toReversed()) {',
    'losses, most of them small and a few of them whole',
  ),
  core(
    'a loss counts under the weight of the last step',
    'judge/evidence.ts',
    'share: weight / 100, loss: row.loss',
    'share: place.lastWeight / 100, loss: row.loss',
    'losses, most of them small and a few of them whole',
  ),
  core(
    'a bet looks at the loss that it is put on',
    'judge/betting.ts',
    'const mean = bets.sum / past;',
    'const mean = (bets.sum + value) / past;',
    'losses, most of them small and a few of them whole',
  ),
  core(
    'the wrong answer of a pair is taken for the other',
    'judge/evidence.ts',
    'candidate: mirror, champion: served',
    'candidate: served, champion: mirror',
    'copies of requests, half of whose failures are shared',
  ),
];
