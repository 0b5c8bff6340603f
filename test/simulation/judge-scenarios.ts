import type { Rollout } from '@serin/core/model/rollout/state';
import type { Model } from '@serin/core/model/state';
import type { Weights } from '@serin/core/ports/serving';
import {
  at,
  champion,
  configOf,
  ended,
  ends,
  first,
  type Given,
  given,
  hadChampion,
  minute,
  must,
  over,
  rolloutIs,
  type Scenario,
  second,
  serves,
  textOf,
} from './script.ts';
import type { Universe } from './universe.ts';

type RolloutPlan = NonNullable<Given['rollout']>;
type Because = Extract<Rollout, { status: 'reverting' }>['because']['kind'];

/** A second version under a rollout of its own; whatever comes of it. */
export const canary =
  (changes: RolloutPlan = {}, model: Partial<Given> = {}): Scenario['act'] =>
  async (universe) => {
    await second(universe, configOf({ ...model, rollout: { ...given.rollout, ...changes } }));
    await universe.when(over(2));
  };

export const promotes: Scenario['expect'] = (universe, calm) => {
  if (!calm) return;
  champion(universe, 2);
  must(universe.model()?.rollout?.certificate?.verdict === 'promotion', 'the promotion has no certificate');
};

/** No schedule may promote it; without faults it is rolled back for this reason, with what is to blame. */
export const rollsBack =
  (kind: Because, blamed?: string): Scenario['expect'] =>
  (universe, calm) => {
    const { rollout } = universe.model() ?? {};
    must(!hadChampion(universe) || universe.model()?.champion !== 2, `v2 serves: ${textOf(universe.model())}`);
    if (!calm) return;
    rolloutIs(universe, 'rolledBack');
    const because = rollout?.status === 'rolledBack' ? rollout.because.kind : undefined;
    must(because === kind, `it should be rolled back by ${kind}: ${textOf(universe.model())}`);
    const { verdict, guardrails = [] } = rollout?.certificate ?? {};
    must(verdict === (kind === 'evidence' ? 'rollback' : 'none'), `its certificate says ${verdict}`);
    const names = guardrails.filter(({ blame }) => blame !== undefined).map(({ name }) => name);
    must(names.join() === (blamed ?? ''), `${blamed ?? 'nothing'} is to blame, it says: ${names.join()}`);
  };

/** A clock that is minutes off takes ticks of the time before for those of a short mirror or guard. */
const isTimed = ({ sim }: Universe): boolean => sim.faults.skewMs <= 5000;

/** A share of what v2 gets, and of what the others get. */
const shares =
  (ours: number, theirs: number) =>
  (deployment: string): number =>
    deployment === 'v2' ? ours : theirs;
const story = (universe: Universe): string =>
  universe
    .model()
    ?.rollout?.story.map(({ text }) => text)
    .join('; ') ?? '';
export const told = (universe: Universe, text: RegExp): void =>
  must(text.test(story(universe)), `${text} is not told: ${story(universe)}`);

/** The candidate gets half as much again as its weight says. */
const moreToTheCandidate = ({ v1 = 0, v2 = 0, ...others }: Weights): Weights => {
  const more = Math.min(v1, v2 / 2);
  return { ...others, v1: v1 - more, v2: v2 + more };
};
const failsThrice = shares(0.015, 0.005);
const wrongThrice = shares(0.3, 0.1);
/** Half of the labels that come at all have come by then. */
const labels = { maturity: '3m' };
const labelled = { share: 0.8, takeMs: 6 * minute };
const stickily: Partial<Given> = { serve: { command: ['node', 'serve.mjs'], stickyBy: 'x-user' } };
const shadow = { strategy: 'shadow', mirror: 20 } as const;

const labelFiles = { labels: { bucket: 'drops', prefix: 'outcomes/' } };
/** The files that were told to their end, in the version that is there. */
const filesTold = ({ labels: files }: Model, { buckets }: Universe) => {
  const there = buckets.drops.list('outcomes/').items;
  return Object.values(files?.files ?? {}).filter(({ file, version }) =>
    there.some((object) => object.key === file && object.version === version),
  );
};
/** Lines of a file of labels; the last is none. */
const outcomes = (from: number, to: number): string =>
  [
    ...Array.from({ length: to - from }, (_, index) =>
      JSON.stringify({ requestId: `r${from + index}`, time: '2026-01-05T09:00:00Z', wrong: index % 10 === 0 }),
    ),
    'no label',
  ].join('\n');
/** More than one order reads. */
const manyLines = 10_400;

/** A second version; while it bakes the wall clock of its machine is set, and without faults it ends within half an hour. */
const underClock =
  (setMs: number): Scenario['act'] =>
  async (universe) => {
    const calm = Object.values(universe.sim.faults).every((fault) => fault === 0);
    await second(universe);
    await universe.when(at('baking'));
    universe.platform.clock?.set(setMs);
    const inTime = await universe.when(over(2), 'fraud', 30 * minute);
    must(inTime || !calm, `the rollout does not end: ${textOf(universe.model())}`);
  };

/** A second version; while it bakes its machine is restarted, and a deployment takes minutes to come back. */
const underRestart =
  (slow: string): Scenario['act'] =>
  async (universe) => {
    await second(universe);
    await universe.when(at('baking'));
    const { platform, telemetry, sim } = universe;
    const now = platform.clock?.now() ?? sim.now;
    telemetry.away(slow, now, now + 3 * minute);
    platform.restart(5000);
    await universe.when(over(2));
  };

/** A second version; in its guard (bake) the machine is off for longer than the guard (maxHold) lasts. */
const offWhile =
  (status: 'baking' | 'guarding', changes: RolloutPlan): Scenario['act'] =>
  async (universe) => {
    await second(universe, configOf({ rollout: { ...given.rollout, ...changes } }));
    await universe.when(at(status));
    const { platform, telemetry, sim } = universe;
    const now = platform.clock?.now() ?? sim.now;
    telemetry.away('v2', now, now + 25 * minute);
    platform.restart(25 * minute);
    await universe.when(over(2));
  };

/** With all the traffic it fails. */
const failsAlone = (deployment: string, { v2 = 0 }: Weights): number => (deployment === 'v2' && v2 > 90 ? 0.3 : 0.005);

/** A day of ticks, in each of which as many requests failed, and two days for the share. */
function knowsPast(universe: Universe): void {
  const { history = 'none' } = universe.model()?.rollout ?? {};
  const { bad = 0, requests = 0, ...errors } = history === 'none' ? {} : { ...history.measures.errors };
  const isKnown = history !== 'none' && history.ticks > 1300 && history.to - history.from > 47 * 60 * minute;
  must(isKnown, `of the champion is known ${JSON.stringify(history)}`);
  must(Math.abs(bad / requests - 0.005) < 1e-4, `${bad} of ${requests} requests failed before`);
  must(errors.noise === 0 && errors.calm === true, `what never varied has noise: ${JSON.stringify(errors)}`);
}

export const judgeScenarios: readonly Scenario[] = [
  {
    name: 'a machine is restarted while a slow candidate bakes',
    one: true,
    act: underRestart('v2'),
    expect: promotes,
  },
  {
    name: 'a machine is restarted while a bad candidate bakes, and its champion is slow',
    one: true,
    outside: { models: { failing: failsThrice } },
    act: underRestart('v1'),
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'a machine is off for longer than the guard of a candidate that fails with all the traffic',
    one: true,
    outside: { models: { failing: failsAlone } },
    act: offWhile('guarding', { guard: '20m' }),
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'a machine is off for longer than maxHold while a candidate bakes',
    one: true,
    act: offWhile('baking', { maxHold: '15m' }),
    expect(universe, calm) {
      rollsBack('hold')(universe, calm);
      if (calm) told(universe, /held, back at 0 %: nobody saw the candidate for more than maxHold \(15m\)/);
    },
  },
  {
    name: 'the wall clock is set back while a bad candidate bakes',
    one: true,
    outside: { models: { failing: failsThrice } },
    act: underClock(-60 * minute),
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'the wall clock is set forward while a candidate bakes',
    one: true,
    act: underClock(60 * minute),
    expect: promotes,
  },
  {
    name: 'three times the errors',
    outside: { models: { failing: failsThrice } },
    act: canary(),
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'a candidate that is slow and fails no more',
    outside: { models: { slower: shares(2, 1) } },
    act: canary(),
    expect: rollsBack('evidence', 'latency'),
  },
  {
    name: 'a champion that has answered alone for days',
    async act(universe) {
      await first(universe);
      await universe.sleep(50 * 60 * minute);
      universe.drop('fraud/2.csv');
      await universe.when(over(2));
    },
    expect(universe, calm) {
      promotes(universe, calm);
      if (calm) knowsPast(universe);
    },
  },
  {
    name: 'outcomes come ticks later',
    outside: { outcomesTakeMs: 2.5 * minute },
    act: canary(),
    expect: promotes,
  },
  {
    name: 'outcomes come ticks later, and three times the errors',
    outside: { outcomesTakeMs: 2.5 * minute, models: { failing: failsThrice } },
    act: canary(),
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'weights take ticks to change',
    outside: { operationMs: 1.5 * minute },
    act: canary({ readyWithin: '3h' }),
    expect: promotes,
  },
  {
    name: 'weights take ticks to change, and the candidate fails a share of its requests',
    outside: { operationMs: 1.5 * minute, models: { failing: shares(0.4, 0.005) } },
    act: canary({ readyWithin: '3h' }),
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'labels come before and after they mature',
    outside: { labelled },
    act: canary({ guardrails: { labels } }),
    expect: promotes,
  },
  {
    name: 'labels come before and after they mature, and say wrong three times as often',
    outside: { labelled, models: { wrong: wrongThrice } },
    act: canary({ guardrails: { labels } }),
    expect: rollsBack('evidence', 'labels'),
  },
  {
    name: 'requests without a label are taken at their worst',
    outside: { labelled: { share: 0.98, takeMs: minute } },
    act: canary({ guardrails: { labels: { ...labels, missing: 'worst' } } }),
    expect: promotes,
  },
  {
    name: 'a shadow, then its steps',
    act: canary(shadow),
    expect(universe, calm) {
      promotes(universe, calm);
      const { mirrored } = universe.model()?.rollout?.evidence ?? {};
      if (calm) must((mirrored?.pairs ?? 0) > 0, 'nothing was mirrored');
    },
  },
  {
    name: 'a broken shadow serves nobody',
    outside: { models: { failing: shares(0.4, 0.005) } },
    act: canary(shadow),
    expect(universe, calm) {
      rollsBack('evidence', 'errors')(universe, calm);
      const ticks = universe.telemetry.truth({
        ...{ endpoint: 'fraud', from: 0, to: universe.sim.now, measures: ['errors'] },
        tickMs: universe.sim.now,
      });
      if (hadChampion(universe) && isTimed(universe))
        must(ticks[0]?.counts.v2 === undefined, `the shadow served ${JSON.stringify(ticks[0]?.counts)}`);
    },
  },
  {
    name: 'the predictions of a shadow are higher, until somebody has looked',
    outside: { models: { higher: shares(0.1, 0) } },
    async act(universe) {
      await second(universe, configOf({ rollout: { ...given.rollout, ...shadow } }));
      if (await universe.when(at('held'))) await universe.ask({ type: 'resumeRequested' });
      await universe.when(over(2));
    },
    expect(universe, calm) {
      promotes(universe, calm);
      if (calm) told(universe, /held: of [\d,]+ pairs with different predictions the candidate's is higher in [\d,]+/);
    },
  },
  {
    name: 'a shadow is aborted while it is set',
    outside: { operationMs: 40_000 },
    async act(universe) {
      await second(universe, configOf({ rollout: { ...given.rollout, ...shadow } }));
      await universe.when(at('shifting'));
      await universe.sleep(universe.sim.random.between(0, 2 * minute));
      await universe.ask({ type: 'abortRequested' });
      await universe.when((model) => ended(model.rollout));
    },
    expect: ends({ champion: 1 }),
  },
  {
    name: 'a and b, and labels decide',
    outside: { labelled },
    act: canary({ strategy: 'ab', guardrails: { labels } }),
    expect: promotes,
  },
  {
    name: 'a and b, and labels say wrong three times as often',
    outside: { labelled, models: { wrong: wrongThrice } },
    act: canary({ strategy: 'ab', guardrails: { labels } }),
    expect: rollsBack('evidence', 'labels'),
  },
  {
    name: 'a gateway that shares out otherwise than it says',
    outside: {
      models: {
        failing: shares(0.4, 0.005),
        routed: moreToTheCandidate,
      },
    },
    act: canary({ maxHold: '1h' }),
    expect(universe, calm) {
      // When its weight was confirmed decides whether its harm is found first, or its routing, which leaves it no traffic.
      const isHeld = /held, back at 0 %.*held longer than/.test(story(universe));
      rollsBack(isHeld ? 'hold' : 'routing')(universe, calm);
      if (calm && !isHeld)
        told(universe, /among the requests that came the candidate does worse \(errors\): 40 % of the candidate's/);
    },
  },
  {
    name: 'a gateway that shares out otherwise, and the candidate is well',
    outside: { models: { failing: shares(0.005, 0.005), routed: moreToTheCandidate } },
    act: canary({ atMost: '2h' }),
    expect(universe, calm) {
      rollsBack('hold')(universe, calm);
      if (calm)
        told(universe, /held, back at 1?0 %: the requests were not shared out as configured.*held longer than 30m/);
    },
  },
  {
    name: 'caches are cold after each change of weight',
    outside: { models: { slower: (deployment, ageMs) => (deployment === 'v2' && ageMs < 2 * minute ? 3 : 1) } },
    act: canary({ warmUp: 2, bake: '3m' }),
    expect: promotes,
  },
  {
    name: 'capacity decides what each gets, and its share is taken as it came',
    outside: { models: { routed: moreToTheCandidate } },
    act: canary({ routing: 'realised' }),
    expect: promotes,
  },
  {
    name: 'users stay with their model',
    act: canary({}, stickily),
    expect: promotes,
  },
  {
    name: 'users stay with their model, and it breaks',
    outside: { models: { failing: shares(0.4, 0.005) } },
    act: canary({}, stickily),
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'errors begin once the candidate is promoted',
    outside: {
      models: { failing: (deployment: string, { v2 = 0 }: Weights) => (deployment === 'v2' && v2 > 90 ? 0.1 : 0.005) },
    },
    act: canary({ guard: '20m' }),
    expect(universe, calm) {
      // A write that lands late moves the weights, and what is not routed as configured is no evidence.
      const routes = universe.telemetry.routes('fraud', 0, universe.sim.now);
      if (isTimed(universe) && !routes.some(({ isStray }) => isStray)) rollsBack('evidence', 'errors')(universe, calm);
      if (!calm) return;
      told(universe, /all traffic to v2.*all traffic back to v1/);
      const { evidence } = universe.model()?.rollout ?? {};
      const guarded = evidence?.streams.errors?.['95'];
      must((guarded?.championRequests ?? 0) > 0, 'the champion had no requests while the candidate was guarded');
    },
  },
  {
    name: 'counts that cannot be',
    outside: {
      told: ({ counts, ...tick }) => {
        const { v2, ...others } = counts;
        return [
          {
            ...tick,
            counts:
              v2 === undefined ? others : { ...others, v2: { ...v2, bad: { ...v2.bad, errors: v2.requests + 1 } } },
          },
        ];
      },
    },
    act: canary({ maxHold: '1h' }),
    expect(universe, calm) {
      rollsBack('hold')(universe, calm);
      if (calm)
        told(
          universe,
          /held, back at 0 %: its counts cannot be read: the tick of .*: errors of v2 is \d+, not a whole number/,
        );
    },
  },
  {
    name: 'ticks of the candidate never close',
    outside: { told: (tick) => (tick.counts.v2 === undefined ? [tick] : []) },
    act: canary({ maxHold: '1h' }),
    expect: rollsBack('hold'),
  },
  {
    name: 'each tick is told twice',
    outside: { told: (tick) => [tick, tick] },
    act: canary(),
    expect: promotes,
  },
  {
    name: 'a trickle of requests shows nothing',
    outside: { models: { perMinute: 60 } },
    act: canary({ maxHold: '1h' }),
    expect(universe, calm) {
      rollsBack('hold')(universe, calm);
      if (calm) told(universe, /held: inconclusive after 8 minutes: there is too little evidence yet to promote it/);
    },
  },
  {
    name: 'so few requests that most minutes have those of one model, and the candidate fails them all',
    outside: { models: { perMinute: 1, failing: (deployment) => (deployment === 'v2' ? 1 : 0) } },
    act: canary({ steps: [30], bake: '1h', maxHold: '3h' }),
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'what was missing comes while it is held',
    outside: { models: { perMinute: 600 } },
    act: canary(),
    expect(universe, calm) {
      promotes(universe, calm);
      if (calm) told(universe, /held: inconclusive.*all traffic to v2/);
    },
  },
  {
    name: 'a trickle, and the policy is to promote',
    outside: { models: { perMinute: 60 } },
    act: canary({ onInconclusive: 'promote' }),
    expect(universe, calm) {
      if (!calm) return;
      champion(universe, 2);
      must(universe.model()?.rollout?.certificate?.verdict === 'none', 'a policy has a certificate of its evidence');
    },
  },
  {
    name: 'a trickle, and the policy is to roll back',
    outside: { models: { perMinute: 60 } },
    act: canary({ onInconclusive: 'rollBack' }),
    expect: rollsBack('inconclusive'),
  },
  {
    name: 'a harm budget makes the steps small',
    outside: { models: { perMinute: 600, failing: shares(0.005, 0.005) } },
    act: canary({ harmBudget: 60 }),
    expect(universe, calm) {
      if (calm) told(universe, /all that the harm budget affords of 50 %/);
    },
  },
  {
    name: 'a first version that fails most of its requests',
    outside: { models: { failing: () => 0.7 } },
    act: (universe) => first(universe, configOf(), (model) => ended(model.rollout)),
    expect(universe, calm) {
      if (isTimed(universe)) champion(universe, undefined);
      if (calm) rolloutIs(universe, 'rolledBack');
    },
  },
  {
    name: 'evidence comes while it is paused',
    outside: { models: { failing: failsThrice } },
    async act(universe) {
      await second(universe);
      await universe.when(at('baking'));
      await universe.ask({ type: 'pauseRequested' });
      await universe.when((model) => ended(model.rollout));
    },
    expect: rollsBack('evidence', 'errors'),
  },
  {
    name: 'a person promotes before there is evidence',
    async act(universe) {
      await second(universe);
      await universe.when(at('baking'));
      await universe.ask({ type: 'promoteRequested' });
      await universe.when(serves(2));
    },
    expect(universe, calm) {
      if (!calm) return;
      champion(universe, 2);
      must(universe.model()?.rollout?.certificate?.verdict === 'none', 'a person has a certificate of the evidence');
    },
  },
  {
    name: 'files of labels come, and one grows while it is read',
    async act(universe) {
      await first(universe, configOf({ ...labelFiles, data: { ...given.data, rescan: '3h' } }));
      universe.drop('outcomes/1.jsonl', outcomes(0, manyLines));
      await universe.sleep(universe.sim.random.between(0, 20_000));
      universe.drop('outcomes/1.jsonl', outcomes(0, manyLines + 100));
      universe.drop('outcomes/2.jsonl', outcomes(manyLines, manyLines + 300));
      await universe.when((model) => filesTold(model, universe).length === 2);
    },
    expect(universe) {
      const model = universe.model();
      const files = model === undefined ? [] : filesTold(model, universe);
      must(files.length === 2, `${files.length} of 2 files were told`);
      for (const { file, recorded, duplicate, conflict, unknown, late, bad } of files) {
        const lines = file.endsWith('1.jsonl') ? manyLines + 100 : 300;
        const sum = recorded + duplicate + conflict + unknown + late;
        must(
          sum === lines && bad === 1,
          `of ${lines} labels in ${file} ${sum} were counted, and ${bad} lines are none`,
        );
      }
      const recorded = universe.telemetry.labelTotals('fraud')?.recorded;
      must(recorded === manyLines + 300, `${recorded} labels were recorded, of ${manyLines + 300}`);
    },
  },
];
