import { Fault } from '@serin/core/base/fault';
import type { Config } from '@serin/core/config/config';
import type { Model } from '@serin/core/model/state';
import { alertScenarios } from './alert-scenarios.ts';
import { crowdScenarios } from './crowd-scenarios.ts';
import { dataScenarios } from './data-scenarios.ts';
import { driftScenarios } from './drift-scenarios.ts';
import { judgeScenarios } from './judge-scenarios.ts';
import { performanceScenarios } from './performance-scenarios.ts';
import { objectsOf } from './rest.ts';
import {
  alert,
  at,
  attempts,
  bad,
  champion,
  churn,
  configOf,
  drift,
  ended,
  ends,
  first,
  given,
  keepsFirst,
  minute,
  must,
  neverServesSecond,
  nothingServes,
  onlyChurn,
  over,
  rolloutIs,
  runAt,
  runIs,
  type Scenario,
  second,
  secondUntil,
  serves,
  settled,
  takenBack,
  textOf,
  trainings,
} from './script.ts';
import { sinkScenarios } from './sink-scenarios.ts';
import type { Outside, Universe } from './universe.ts';

/** The keys that each job which reads a dataset was given. */
function trainedOn({ jobs, buckets }: Universe): readonly (readonly string[])[] {
  return jobs.created().flatMap(({ job }) => {
    const source = job.channels.data;
    return source?.kind === 'manifest' ? [objectsOf(source.key, buckets).map(({ key }) => key)] : [];
  });
}

/** What the first version scores, whenever it is scored, and what the second does. */
const scored =
  (one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): NonNullable<Outside['fateOf']> =>
  (job, fakes) => {
    if (job.kind !== 'evaluate') return undefined;
    return { metrics: trainings(fakes) === 1 || job.key.includes('/champion/') ? one : other };
  };

export const scenarios: readonly Scenario[] = [
  {
    name: 'a drop becomes the champion',
    brief: true,
    act: (universe) => first(universe),
    expect: ends({ rollout: 'promoted', champion: 1 }),
  },
  {
    name: 'a second drop goes through its canary',
    act: secondUntil(serves(2)),
    expect(universe, calm) {
      if (calm) champion(universe, 2);
      if (calm) must(universe.model()?.lastGood.join() === '1', 'v1 should be the last good one');
    },
  },
  ...dataScenarios,
  {
    name: 'the gate refuses the second version',
    brief: true,
    outside: { fateOf: scored({ auc: 0.9 }, { auc: 0.7 }) },
    act: secondUntil(settled),
    expect: ends({ champion: 1, run: 'refused' }, keepsFirst),
  },
  ...(
    [
      ['loses more than it may at all', { loss: 0.5 }],
      ['loses more than the champion', { loss: 0.25 }],
      ['was scored by another metric', { auc: 0.9 }],
    ] as const
  ).map(
    ([what, metrics]): Scenario => ({
      name: `the second version ${what}`,
      brief: true,
      outside: { fateOf: scored({ loss: 0.1 }, metrics) },
      act: secondUntil(settled, configOf({ gate: { loss: { direction: 'down', atMost: 0.3, noWorseBy: 0.1 } } })),
      expect: ends({ champion: 1, run: 'refused' }, keepsFirst),
    }),
  ),
  {
    name: 'the second version is as good as it has to be, and not more',
    brief: true,
    outside: { fateOf: scored({ auc: 0.91 }, { auc: 0.9 }) },
    act: secondUntil(serves(2), configOf({ gate: { auc: { direction: 'up', atLeast: 0.9, noWorseBy: 0.01 } } })),
    expect: ends({ champion: 2 }),
  },
  {
    name: 'the trainer fails',
    brief: true,
    outside: { fateOf: (job) => (job.kind === 'train' ? { status: 'failed', reason: 'no column day' } : undefined) },
    act: (universe) => first(universe, configOf(), (model) => ended(model.run)),
    expect: ends({ run: 'failed' }, nothingServes),
  },
  {
    name: 'training is interrupted twice',
    brief: true,
    outside: {
      fateOf: (job) =>
        job.kind === 'train' && attempts(job) < 3
          ? { status: 'stopped', retryable: 'interruption', reason: 'spot' }
          : undefined,
    },
    act: (universe) => first(universe),
    expect(universe, calm) {
      if (calm) champion(universe, 1);
      must(trainings(universe) <= 3, 'more attempts than allowed');
    },
  },
  {
    name: 'there is no capacity for any job',
    brief: true,
    outside: { fateOf: () => ({ status: 'failed', retryable: 'capacity', reason: 'no T4', runMs: 0 }) },
    act: (universe) => first(universe, configOf(), (model) => ended(model.run)),
    expect: ends({ run: 'failed' }, nothingServes),
  },
  {
    name: 'a run is cancelled while its job starts',
    brief: true,
    outside: { fateOf: () => ({ waitMs: 20 * minute }) },
    async act(universe) {
      await first(universe, configOf(), runAt('starting', 'preparing'));
      await universe.ask({ type: 'cancelRequested' });
      await universe.when((model) => ended(model.run));
    },
    expect: ends({ run: 'cancelled' }),
  },
  {
    name: 'a run is cancelled while it trains, and another is asked for',
    outside: { fateOf: () => ({ runMs: 30 * minute }) },
    async act(universe) {
      await first(universe, configOf({}, { concurrentRuns: 1 }), runAt('training'));
      await universe.ask({ type: 'cancelRequested' });
      await universe.ask({ type: 'runRequested', trigger: { kind: 'manual' } });
      await universe.when(serves(1));
    },
    expect: ends({ champion: 1 }),
  },
  {
    name: 'the provider is slow',
    outside: {
      operationMs: 40_000,
      deploymentOf: () => ({ readyMs: 4 * minute }),
      fateOf: () => ({ waitMs: 15 * minute, runMs: 40 * minute }),
    },
    act: secondUntil(serves(2)),
    expect: ends({ champion: 2 }),
  },
  {
    name: 'a job runs longer than it may',
    brief: true,
    outside: { fateOf: (job) => (job.kind === 'train' ? { runMs: 100 * 60 * minute } : undefined) },
    act: (universe) =>
      first(universe, configOf({ train: { ...given.train, compute: { maxRuntime: '20m' } } }), (model) =>
        ended(model.run),
      ),
    expect: ends({ run: 'failed' }),
  },
  {
    name: 'the candidate never gets ready',
    outside: { deploymentOf: ({ version }) => (version === 2 ? { becomes: 'pending' } : undefined) },
    act: secondUntil(over(2)),
    expect: ends({ rollout: 'rolledBack', champion: 1 }, neverServesSecond),
  },
  {
    name: 'the candidate breaks when it is deployed',
    brief: true,
    outside: { deploymentOf: ({ version }) => (version === 2 ? { becomes: 'failed' } : undefined) },
    act: secondUntil(over(2)),
    expect(universe, calm) {
      if (calm) rolloutIs(universe, 'rolledBack');
      if (calm) must(universe.model()?.versions['2']?.quarantined !== undefined, 'v2 should be quarantined');
      must(universe.model()?.champion !== 2, 'a version that is broken serves');
    },
  },
  {
    name: 'the candidate fails a share of its requests',
    outside: { models: { failing: bad } },
    act: secondUntil(over(2)),
    expect: ends({ rollout: 'rolledBack', champion: 1 }, keepsFirst),
  },
  {
    name: 'the provider takes the weights back by itself',
    brief: true,
    outside: { takesBack: (weights) => ((weights.v2 ?? 0) > 0 ? 'its alarm fired' : undefined) },
    act: secondUntil(over(2)),
    expect: ends({ champion: 1 }, neverServesSecond),
  },
  ...(['shifting', 'baking', 'guarding'] as const).map(
    (status): Scenario => ({
      name: `an alert comes while ${status}`,
      outside: status === 'shifting' ? { operationMs: 40_000 } : {},
      async act(universe) {
        if (!(await takenBack(universe, configOf(), status))) return;
        await universe.when(settled);
        universe.tell({ type: 'alertResolved', sender: 'grafana', fingerprint: 'f1' });
      },
      expect: ends({ champion: 1, rollout: 'rolledBack' }),
    }),
  ),
  {
    name: 'a second alert comes while traffic goes back',
    outside: { operationMs: 40_000 },
    async act(universe) {
      await second(universe);
      await universe.when(serves(2));
      universe.drop('fraud/3.csv');
      if (!(await universe.when((model) => model.rollout?.candidate === 3 && model.rollout.status === 'baking')))
        return;
      universe.tell(alert('f1'));
      await universe.when((model) => model.rollout?.status === 'reverting');
      universe.tell(alert('f2'));
      await universe.when(settled);
    },
    expect(universe, calm) {
      if (calm) must(universe.model()?.champion !== 3, `v3 serves: ${textOf(universe.model())}`);
    },
  },
  {
    name: 'an alert comes during a rollback by hand',
    outside: { operationMs: 40_000 },
    async act(universe) {
      await second(universe);
      await universe.when(serves(2));
      universe.drop('fraud/3.csv');
      await universe.when(serves(3));
      await universe.ask({ type: 'rollbackRequested' });
      await universe.when((model) => model.rollout?.kind === 'rollback');
      universe.tell(alert('f2'));
      await universe.when((model) => settled(model) && Object.keys(model.monitor.alerts).length === 1);
    },
    expect(universe, calm) {
      if (calm) must([1, 2].includes(universe.model()?.champion ?? 0), `not rolled back: ${textOf(universe.model())}`);
    },
  },
  {
    name: 'an offer that waits for a rollout, under a gate without comparison',
    async act(universe) {
      await second(
        universe,
        configOf({ gate: { auc: { direction: 'up', atLeast: 0.5 } }, rollout: { ...given.rollout, bake: '6m' } }),
      );
      await universe.when(at('baking', 'shifting'));
      universe.drop('fraud/3.csv');
      await universe.when(serves(3));
    },
    expect: ends({ champion: 3 }),
  },
  {
    name: 'abort and promote race',
    async act(universe) {
      await second(universe);
      await universe.when(at('baking'));
      await Promise.all([
        universe.ask({ type: 'abortRequested' }),
        universe.ask({ type: 'promoteRequested' }, { by: 'ben' }),
      ]);
      await universe.when(settled);
    },
    expect(universe, calm) {
      if (calm)
        must(
          ['aborted', 'promoted'].includes(universe.model()?.rollout?.status ?? ''),
          `the race came to ${textOf(universe.model())}`,
        );
    },
  },
  ...(['the weight rises', 'a later step rises'] as const).map(
    (what, step): Scenario => ({
      name: `an abort while ${what} slowly`,
      outside: { operationMs: step === 0 ? 60_000 : 500 },
      async act(universe) {
        await second(universe);
        const isThere = at('shifting', 'promoting');
        await universe.when(
          (model) =>
            isThere(model) && model.rollout !== undefined && (!('step' in model.rollout) || model.rollout.step >= step),
        );
        const { random } = universe.sim;
        await universe.sleep(random.chance(0.5) ? random.between(0, 3000) : random.between(0, 90_000));
        await universe.ask({ type: 'abortRequested' });
        await universe.when(settled);
      },
      expect(universe, calm) {
        if (calm)
          must(
            ['aborted', 'promoted'].includes(universe.model()?.rollout?.status ?? ''),
            `the abort came to ${textOf(universe.model())}`,
          );
      },
    }),
  ),
  {
    name: 'a revert that is refused before anybody looked',
    outside: {
      refuses: (operation, { journal }) => {
        const model = journal.head('model/fraud')?.state as unknown as Model | undefined;
        const isUnseen = model?.endpoint.desired.urgent === true && model.endpoint.looks === 0;
        return operation.kind === 'weigh' && isUnseen ? 'the endpoint is not what you think' : undefined;
      },
    },
    async act(universe) {
      await second(universe);
      await universe.when(at('baking'));
      await universe.ask({ type: 'abortRequested' });
      await universe.when(settled);
    },
    expect(universe, calm) {
      if (calm) champion(universe, 1);
      if (calm) rolloutIs(universe, 'aborted');
      const events = universe.journal.entries('model/fraud').flatMap((entry) => entry.events);
      if (calm) must(!events.some(({ type }) => type.includes('endpoint.blocked')), 'the revert was given up at first');
    },
  },
  {
    name: 'paused and resumed',
    async act(universe) {
      await second(universe);
      await universe.when(at('baking'));
      await universe.ask({ type: 'pauseRequested' });
      await universe.sleep(30 * minute);
      await universe.ask({ type: 'resumeRequested' });
      await universe.when(settled);
    },
    expect: ends({ champion: 2 }),
  },
  {
    name: 'a pause that nobody ends',
    async act(universe) {
      await second(universe, configOf({ rollout: { ...given.rollout, maxHold: '2h' } }));
      await universe.when(at('baking'));
      await universe.ask({ type: 'pauseRequested' });
      await universe.when(settled);
    },
    expect: ends({ champion: 1 }),
  },
  {
    name: 'no requests at all: held, then taken back',
    outside: { models: { perMinute: 0 } },
    act: secondUntil(settled, configOf({ rollout: { ...given.rollout, maxHold: '1h' } })),
    expect: ends({ champion: 1, rollout: 'rolledBack' }),
  },
  {
    name: 'an approval with four eyes',
    async act(universe) {
      await first(
        universe,
        configOf({ approval: { fourEyes: true } }),
        (model) => model.versions['1']?.approval?.status === 'pending',
      );
      await universe.ask({ type: 'approvalGiven', version: 1, approved: true });
      await universe.when(serves(1));
      await universe.ask({ type: 'runRequested', trigger: { kind: 'manual', force: true } });
      await universe.when((model) => model.versions['2']?.approval?.status === 'pending');
      const own = await universe.ask({ type: 'approvalGiven', version: 2, approved: true });
      if (universe.model()?.versions['2'] !== undefined && own !== undefined)
        must(own.kind === 'refused', 'ann approved her own run');
      await universe.ask({ type: 'approvalGiven', version: 2, approved: true }, { by: 'ben' });
      await universe.when(serves(2));
    },
    expect: ends({ champion: 2 }),
  },
  {
    name: 'an approval that is given to none, and one that is refused',
    brief: true,
    async act(universe) {
      await first(
        universe,
        configOf({ approval: { expires: '2h' } }),
        (model) => model.versions['1']?.approval !== undefined,
      );
      await universe.when((model) => model.versions['1']?.approval?.status === 'expired');
      universe.drop('fraud/2.csv');
      await universe.when((model) => model.versions['2']?.approval?.status === 'pending');
      await universe.ask({ type: 'approvalGiven', version: 2, approved: false });
      await universe.when(settled);
    },
    expect: nothingServes,
  },
  {
    name: 'new data during a run',
    async act(universe) {
      await first(universe, configOf(), runAt('training', 'evaluating'));
      universe.drop('fraud/2.csv');
      universe.drop('fraud/3.csv');
      await universe.when(serves(2));
    },
    expect: ends({ champion: 2 }),
  },
  {
    name: 'new data during a rollout',
    async act(universe) {
      await second(universe);
      await universe.when(at('baking', 'shifting'));
      universe.drop('fraud/3.csv');
      await universe.when(serves(3));
    },
    expect: ends({ champion: 3 }),
  },
  {
    name: 'the champion changes under an offer',
    async act(universe) {
      await second(universe, configOf({ rollout: { ...given.rollout, bake: '10m' } }));
      await universe.when(at('baking'));
      universe.drop('fraud/3.csv');
      await universe.when((model) => model.offered?.version === 3);
      await universe.ask({ type: 'promoteRequested' });
      await universe.when(serves(3));
    },
    expect: ends({ champion: 3 }),
  },
  {
    name: 'the same data again trains nothing',
    brief: true,
    async act(universe) {
      await first(universe);
      universe.drop('fraud/1.csv');
      await universe.sleep(5 * minute);
      await universe.ask({ type: 'runRequested', trigger: { kind: 'manual' } });
      await universe.sleep(5 * minute);
    },
    expect(universe, calm) {
      if (calm) must(trainings(universe) === 1, `${trainings(universe)} trainings of one dataset`);
    },
  },
  {
    name: 'a schedule without new data, forced by nobody',
    async act(universe) {
      await first(universe, configOf({ on: { schedule: { cron: '*/30 * * * *' } } }));
      await universe.sleep(100 * minute);
      universe.drop('fraud/2.csv');
      await universe.sleep(40 * minute);
      await universe.release(configOf());
      await universe.when(serves(2));
    },
    expect: ends({ champion: 2 }),
  },
  {
    name: 'an object whose event was lost is found by the rescan',
    async act(universe) {
      await first(universe, configOf({ data: { ...given.data, rescan: '3h' } }));
      universe.buckets.drops.write('fraud/2.csv', new TextEncoder().encode('quietly'));
      await universe.when(serves(2));
    },
    expect: ends({ champion: 2 }),
  },
  {
    name: 'a marker says when a drop is complete',
    brief: true,
    async act(universe) {
      await universe.release(configOf({ data: { ...given.data, settle: { marker: '_SUCCESS' } } }));
      await universe.when(() => true);
      for (let part = 0; part < 4; part += 1) universe.drop(`fraud/${part}.csv`);
      await universe.sleep(2 * minute);
      universe.drop('fraud/_SUCCESS', '');
      await universe.when(serves(1));
    },
    expect: ends({ champion: 1 }),
  },
  {
    name: 'a marker left from the drop before',
    async act(universe) {
      const data = { ...given.data, settle: { marker: '_SUCCESS' }, rescan: '1h' };
      await first(universe, configOf({ data, on: { schedule: { cron: '30 * * * *' } } }), () => true);
      universe.drop('fraud/_SUCCESS', '');
      await universe.when(serves(1));
      universe.drop('fraud/2.csv');
      await universe.sleep(150 * minute);
      universe.drop('fraud/3.csv');
      universe.drop('fraud/_SUCCESS', '');
      await universe.when(serves(2));
    },
    expect(universe, calm) {
      if (calm) champion(universe, 2);
      const drops = new Set(trainedOn(universe).map((keys) => keys.join(' ')));
      for (const keys of drops)
        must(
          keys === 'fraud/1.csv' || keys === 'fraud/1.csv fraud/2.csv fraud/3.csv',
          `half a drop was paid for: ${keys}`,
        );
      const runs = universe.jobs.created().filter(({ job }) => job.kind === 'prepare' && attempts(job) === 1);
      must(runs.length <= 2, `${runs.length} runs of two drops`);
    },
  },
  {
    name: 'a file is overwritten by one of the same size, among markers and folders',
    brief: true,
    async act(universe) {
      universe.buckets.drops.write('fraud/', new Uint8Array());
      await first(universe);
      universe.drop('fraud/_SUCCESS', 'done');
      universe.drop('fraud/1.csv', 'fraud/2.csv');
      await universe.when(serves(2));
    },
    expect(universe, calm) {
      if (calm) champion(universe, 2);
      for (const keys of trainedOn(universe))
        must(keys.join() === 'fraud/1.csv', `markers were taken for data: ${keys}`);
    },
  },
  {
    name: 'frozen while baking, then thawed',
    async act(universe) {
      await second(universe);
      await universe.when(at('baking'));
      await universe.ask({ type: 'freezeRequested', freeze: { by: 'ann', because: 'launch' } }, { stream: 'project' });
      await universe.sleep(30 * minute);
      universe.drop('fraud/3.csv');
      await universe.sleep(10 * minute);
      await universe.ask({ type: 'thawRequested' }, { stream: 'project' });
      await universe.when(serves(3));
    },
    expect: ends({ champion: 3 }),
  },
  {
    name: 'a config is released during a run, and again during a rollout',
    async act(universe) {
      await first(universe);
      universe.drop('fraud/2.csv');
      await universe.when(runAt('training', 'starting'));
      await universe.release(configOf({ rollout: { ...given.rollout, steps: [20] } }));
      await universe.when(at('baking', 'shifting'));
      await universe.release(configOf({ rollout: { ...given.rollout, steps: [30] } }));
      await universe.when(serves(2));
    },
    expect: ends({ champion: 2 }),
  },
  {
    name: 'releases come faster than they spread',
    brief: true,
    async act(universe) {
      const config = (a: string, b: string): Config => ({
        project: 'sim',
        models: {
          churn: { ...given, data: { ...given.data, prefix: 'churn/', rescan: a as '1h' } },
          fraud: { ...given, data: { ...given.data, rescan: b as '1h' } },
        },
      });
      await universe.release(config('20h', '20h'));
      await universe.when(() => true);
      await universe.when(() => true, 'churn');
      await Promise.all([
        universe.release(config('21h', '20h')),
        universe.sleep(50).then(() => universe.release(config('21h', '22h'))),
      ]);
      await universe.release(config('23h', '22h'));
      // Of two releases that were asked for at once the later answer wins: the last one here is alone.
      await universe.release(config('23h', '18h'));
    },
    expect() {},
  },
  {
    name: 'a model comes and goes faster than releases spread',
    brief: true,
    async act(universe) {
      const both = { fraud: given, churn };
      await universe.release(configOf());
      await universe.when(() => true);
      for (let times = 0; times < 2; times += 1) {
        await universe.release({ project: 'sim', models: both });
        await universe.sleep(universe.sim.random.between(0, 15_000));
        await universe.release(configOf());
      }
    },
    expect() {},
  },
  {
    name: 'a model leaves the config during its rollout',
    async act(universe) {
      await second(universe);
      await universe.when(at('baking', 'shifting'));
      await universe.release(onlyChurn);
      await universe.when((model) => model.retired === true && settled(model));
    },
    expect: ends({ champion: 1 }),
  },
  {
    name: 'a model leaves the config during its run, and comes back',
    brief: true,
    async act(universe) {
      await first(universe, configOf(), runAt('training', 'starting'));
      await universe.release(onlyChurn);
      await universe.when((model) => model.retired === true && ended(model.run));
      await universe.release(configOf());
      await universe.when((model) => model.retired === undefined);
      universe.drop('fraud/2.csv');
      await universe.when((model) => model.champion !== undefined && settled(model));
    },
    expect(universe, calm) {
      if (calm) must(universe.model()?.champion !== undefined, `nothing serves: ${textOf(universe.model())}`);
    },
  },
  {
    name: 'rolled back by hand after the promotion',
    async act(universe) {
      await second(universe);
      await universe.when(serves(2));
      await universe.ask({ type: 'rollbackRequested', because: 'it is wrong on Mondays' });
      await universe.when(serves(1));
    },
    expect(universe, calm) {
      if (calm) champion(universe, 1);
      if (calm) must(universe.model()?.versions['2']?.quarantined !== undefined, 'v2 should be quarantined');
    },
  },
  {
    name: 'an alert after the promotion rolls back, once',
    async act(universe) {
      await second(universe);
      await universe.when(serves(2));
      universe.tell(alert(), { id: 'alert-1' });
      universe.tell(alert(), { id: 'alert-2' });
      await universe.when(serves(1));
      await universe.sleep(5 * minute);
    },
    expect: ends({ champion: 1 }),
  },
  {
    name: 'drift starts runs within budget and cooldown',
    async act(universe) {
      await first(
        universe,
        configOf({ monitor: { onDrift: 'run', cooldown: '1h', retrainBudget: { runs: 2, per: '7d' } } }),
      );
      for (let day = 1; day <= 4; day += 1) {
        universe.drop(`fraud/${day + 1}.csv`);
        await universe.when(settled);
        universe.tell(drift(`d${day}`));
        await universe.sleep(10 * minute);
        universe.tell(drift(`e${day}`));
        await universe.sleep(70 * minute);
      }
    },
    expect() {},
  },
  {
    name: 'two models share one slot',
    brief: true,
    async act(universe) {
      const models = { fraud: given, churn };
      await universe.release({ project: 'sim', concurrentRuns: 1, models });
      await universe.when(() => true);
      await universe.when(() => true, 'churn');
      universe.drop('fraud/1.csv');
      universe.drop('churn/1.csv');
      await universe.when(serves(1));
      await universe.when(serves(1), 'churn');
    },
    expect(universe, calm) {
      if (calm) champion(universe, 1);
      if (calm) champion(universe, 1, 'churn');
    },
  },
  {
    name: 'a model that serves nothing',
    brief: true,
    async act(universe) {
      await first(universe, configOf({ serve: 'none' }));
      universe.drop('fraud/2.csv');
      await universe.when(serves(2));
      await universe.ask({ type: 'rollbackRequested' });
    },
    expect: ends({ champion: 1 }),
  },
  {
    name: 'a webhook that is delivered again and again',
    async act(universe) {
      await first(universe);
      const body = { type: 'runRequested', trigger: { kind: 'ci', force: true, commit: 'abc' } } as const;
      await Promise.all([universe.ask(body, { id: 'delivery-1' }), universe.ask(body, { id: 'delivery-1' })]);
      await universe.when(serves(2));
      await universe.ask(body, { id: 'delivery-1' });
      await universe.sleep(5 * minute);
    },
    expect(universe, calm) {
      if (calm) must(trainings(universe) === 2, `${trainings(universe)} trainings, of 2`);
    },
  },
  {
    name: 'the provider refuses the training job',
    brief: true,
    outside: {
      fateOf: (job) => {
        if (job.kind === 'train') throw new Fault('invalid', 'there is no such machine type');
        return undefined;
      },
    },
    async act(universe) {
      await first(universe, configOf(), (model) => ended(model.run));
      await universe.ask({ type: 'cancelRequested' });
    },
    expect(universe) {
      runIs(universe, 'failed');
    },
  },
  {
    name: 'the provider refuses the deployment of the candidate',
    brief: true,
    outside: {
      deploymentOf: ({ version }) => {
        if (version === 2) throw new Fault('invalid', 'the image has no serve command');
        return undefined;
      },
    },
    act: secondUntil(over(2)),
    expect: ends({ rollout: 'rolledBack', champion: 1 }),
  },
  {
    name: 'a freeze that ends by itself',
    async act(universe) {
      await second(universe);
      await universe.when(at('baking'));
      const until = universe.sim.now + 40 * minute;
      await universe.ask(
        { type: 'freezeRequested', freeze: { by: 'ann', because: 'launch', until } },
        { stream: 'project' },
      );
      universe.drop('fraud/3.csv');
      await universe.ask({ type: 'promoteRequested' });
      await universe.sleep(50 * minute);
      await universe.when(serves(3));
    },
    expect: ends({ champion: 3 }),
  },
  {
    name: 'one approves while another rejects',
    brief: true,
    async act(universe) {
      await first(
        universe,
        configOf({ approval: { expires: '2h' } }),
        (model) => model.versions['1']?.approval?.status === 'pending',
      );
      const offered = universe.model()?.versions['1']?.approval?.status === 'pending';
      const answer = (approved: boolean, by: string) =>
        universe.ask({ type: 'approvalGiven', version: 1, approved }, { by });
      const outcomes = await Promise.all([answer(true, 'ann'), answer(false, 'ben')]);
      const refused = outcomes.filter((outcome) => outcome?.kind === 'refused').length;
      if (
        offered &&
        outcomes.every((outcome) => outcome !== undefined) &&
        universe.model()?.versions['1']?.approval?.by !== 'time'
      )
        must(refused === 1, `${refused} of two contrary answers were refused`);
      await universe.when(settled);
    },
    expect(universe) {
      const { approval } = universe.model()?.versions['1'] ?? {};
      if (universe.model()?.champion === 1)
        must(approval?.status === 'approved', `v1 is ${approval?.status}: ${textOf(universe.model())}`);
    },
  },
  {
    name: 'a rollback is asked for while the candidate goes out, again and again',
    outside: { operationMs: 20_000 },
    async act(universe) {
      await second(universe);
      await universe.when(at('deploying', 'shifting'));
      await universe.sleep(universe.sim.random.between(0, 10 * minute));
      for (let times = 0; times < 3; times += 1) {
        await universe.ask({ type: 'rollbackRequested' });
        await universe.sleep(universe.sim.random.between(0, 60_000));
      }
      await universe.when(settled);
    },
    expect: ends({ champion: 1 }),
  },
  {
    name: 'a hold that a person ends by promoting',
    outside: { models: { perMinute: 2 } },
    async act(universe) {
      await second(universe);
      await universe.when(at('held'));
      await universe.ask({ type: 'promoteRequested' });
      await universe.when(serves(2));
    },
    expect: ends({ champion: 2 }),
  },
  {
    name: 'a model leaves the config while its drop settles, and its version registers',
    async act(universe) {
      await first(universe, configOf(), runAt('registering', 'succeeded'));
      universe.drop('fraud/2.csv');
      await universe.release(onlyChurn);
      await universe.when((model) => model.retired === true);
      await universe.sleep(30 * minute);
      await universe.release(configOf());
      await universe.when((model) => model.retired === undefined);
      await universe.ask({ type: 'runRequested', trigger: { kind: 'manual', force: true } });
      await universe.when((model) => model.champion !== undefined && settled(model));
    },
    expect(universe, calm) {
      if (calm) must(universe.model()?.champion !== undefined, `nothing serves: ${textOf(universe.model())}`);
    },
  },
  ...alertScenarios,
  ...judgeScenarios,
  ...crowdScenarios,
  ...sinkScenarios,
  ...driftScenarios,
  ...performanceScenarios,
];
