import { Fault } from '@serin/core/base/fault';
import { champion, configOf, minute, must, type Scenario, second, secondUntil, serves } from './script.ts';
import { beginning } from './world.ts';

const settings = { url: 'https://example.com', secret: { secret: 'hooks' } };
const pager = { name: 'pager', webhook: settings, on: ['rollout.*'] };
const log = { name: 'log', webhook: settings };
const hour = 60 * minute;
const isPoison = (type: string): boolean => type === 'dev.serin.run.succeeded.v1';

export const sinkScenarios: readonly Scenario[] = [
  {
    name: 'a sink is down for an hour, and one event is refused for good',
    outside: {
      sinkAnswers: (sink, { type }, now) => {
        if (sink === 'pager' && now < beginning + hour) return new Fault('unavailable', 'it answered 503');
        return sink === 'log' && isPoison(type) ? new Fault('invalid', 'it answered 422') : undefined;
      },
    },
    act: secondUntil(serves(2), configOf({}, { notify: [pager, log] })),
    expect({ sinks, sim, journal, model }, calm) {
      must(
        sinks.told('pager').every(({ at }) => at >= beginning + hour),
        'nothing should reach a sink that is down',
      );
      if (!calm) return;
      const letters = journal.streams().filter((stream) => stream.startsWith('dead/notify/'));
      must(letters.length === 2, `the ends of both runs should be dead letters, not ${letters}`);
      const ended = model()?.rollout;
      const served = ended !== undefined && 'endedAt' in ended ? ended.endedAt : sim.now;
      must(served < beginning + hour, 'a sink that is down should hold up no rollout');
      must(
        sinks.told('log').some(({ at }) => at < served),
        'a sink that is down should hold up no other',
      );
    },
  },
  {
    name: 'a sink joins while another has not been told of everything',
    outside: {
      sinkAnswers: (sink, _, now) =>
        sink === 'log' && now < beginning + hour
          ? new Fault('throttled', 'it answered 429', { retryAfterMs: 5 * minute })
          : undefined,
    },
    async act(universe) {
      await second(universe, configOf({}, { notify: [log] }));
      await universe.release(configOf({}, { notify: [log, pager] }));
      await universe.when(serves(2));
    },
    expect(universe, calm) {
      if (calm) champion(universe, 2);
      const [all, some] = [universe.sinks.told('log').length, universe.sinks.told('pager').length];
      must(all > some, 'the first has more to hear of');
      if (calm) must(some > 0, 'the second hears of what happens from then on');
    },
  },
];
