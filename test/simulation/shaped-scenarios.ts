import type { Shape } from './fakes/shapes.ts';
import { scenarios } from './scenarios.ts';
import {
  champion,
  configOf,
  ended,
  ends,
  first,
  given,
  keepsFirst,
  minute,
  must,
  over,
  type Scenario,
  second,
  secondUntil,
  serves,
  settled,
  textOf,
} from './script.ts';

/** What users do on a machine, and may do on every cloud alike. */
const everywhere: ReadonlySet<string> = new Set([
  'a drop becomes the champion',
  'a second drop goes through its canary',
  'training is interrupted twice',
  'a run is cancelled while its job starts',
  'a run is cancelled while it trains, and another is asked for',
  'the candidate never gets ready',
  'the candidate breaks when it is deployed',
  'the candidate fails a share of its requests',
  'the provider takes the weights back by itself',
  'an alert comes while shifting',
  'an alert comes while baking',
  'an alert comes while guarding',
  'an alert comes during a rollback by hand',
  'abort and promote race',
  'an abort while the weight rises slowly',
  'new data during a rollout',
  'rolled back by hand after the promotion',
  'the provider refuses the deployment of the candidate',
  'a rollback is asked for while the candidate goes out, again and again',
  'three times the errors',
  'a first version that fails most of its requests',
]);

const shadow = configOf({ rollout: { ...given.rollout, strategy: 'shadow', mirror: 20, maxHold: '1h' } });

/** What only a cloud makes hard. */
const own: readonly (Scenario & { readonly on: readonly Shape['name'][] })[] = [
  {
    on: ['aws', 'vertex', 'azure'],
    name: 'a first version is aborted while it goes out, and the next one serves',
    async act(universe) {
      await first(universe, configOf(), (model) => model.rollout?.status === 'deploying');
      await universe.sleep(universe.sim.random.between(0, 12 * minute));
      await universe.ask({ type: 'abortRequested' });
      await universe.when((model) => ended(model.rollout));
      universe.drop('fraud/2.csv');
      await universe.when(serves(2));
    },
    expect: ends({ champion: 2 }),
  },
  {
    on: ['aws', 'vertex', 'azure'],
    name: 'a first version is aborted, and nothing comes after it',
    async act(universe) {
      await first(universe, configOf(), (model) => model.rollout?.status === 'deploying');
      await universe.sleep(universe.sim.random.between(0, 12 * minute));
      await universe.ask({ type: 'abortRequested' });
      await universe.when((model) => ended(model.rollout));
    },
    expect() {},
  },
  {
    on: ['aws', 'vertex', 'azure'],
    name: 'the next version waits while a candidate breaks',
    outside: { deploymentOf: ({ version }) => (version === 2 ? { becomes: 'failed' } : undefined) },
    async act(universe) {
      await second(universe);
      await universe.when((model) => model.rollout?.candidate === 2);
      universe.drop('fraud/3.csv');
      await universe.when(serves(3));
    },
    expect(universe, calm) {
      const { versions } = universe.model() ?? {};
      if (calm) must(versions?.['2']?.quarantined !== undefined, `v2 is not to blame: ${textOf(universe.model())}`);
      if (calm) champion(universe, 3);
    },
  },
  {
    on: ['aws', 'azure'],
    name: 'a mirror that nobody counts ends by itself',
    act: secondUntil(over(2), shadow),
    expect: ends({ rollout: 'rolledBack' }, keepsFirst),
  },
  {
    on: ['vertex'],
    name: 'a mirror that there is not',
    act: secondUntil(over(2), shadow),
    expect: ends({ rollout: 'rolledBack' }, keepsFirst),
  },
  {
    on: ['aws', 'vertex', 'azure'],
    name: 'each job is interrupted once',
    outside: {
      fateOf: ({ key }) =>
        key.endsWith('/1') ? { status: 'stopped', retryable: 'interruption', reason: 'spot' } : undefined,
    },
    act: (universe) => first(universe, configOf(), (model) => settled(model) && ended(model.run)),
    expect: ends({ champion: 1 }),
  },
];

export const scenariosOn = ({ name }: Shape): readonly Scenario[] => [
  ...scenarios.filter((scenario) => everywhere.has(scenario.name)),
  ...own.filter(({ on }) => on.includes(name)),
];
