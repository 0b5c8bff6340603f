import { decodeText } from '@serin/core/base/json';
import type { DatasetProfile } from '@serin/core/drift/profile';
import type { Reference } from '@serin/core/drift/reference';
import { champion, configOf, must, runIs, type Scenario, serves, settled, textOf, trainings } from './script.ts';
import type { Universe } from './universe.ts';

const looking = configOf({
  validate: { label: 'n' },
  monitor: { capture: { share: '10%', fields: ['n'] }, drift: {} },
});

/** Rows of two columns; `n` is missing where there is no number for it. */
const rows = (from: number, to: number, nOf = (row: number): number | '' => row): string =>
  `day,n\n${Array.from({ length: to - from }, (_, at) => `d${(from + at) % 3},${nOf(from + at)}\n`).join('')}`;

function objectIn<Kind>({ buckets }: Universe, key: string): Kind | undefined {
  const object = buckets.serin.read({ key, maxBytes: 1e8 });
  return object === undefined ? undefined : (JSON.parse(decodeText(object.content)) as Kind); // written by the engine
}

/** Whatever was lost or done twice: each version has the profile and the counts of its dataset's rows, each row once. */
function sawEachRowOnce(universe: Universe): void {
  for (const { number, data } of Object.values(universe.model()?.versions ?? {})) {
    const profile = objectIn<DatasetProfile>(universe, `profiles/${data?.profile}.json`);
    const reference = objectIn<Reference>(universe, `references/${data?.reference}.json`);
    must(profile?.rows === data?.rows, `v${number} has a profile of ${profile?.rows} rows, not of ${data?.rows}`);
    must([20, 45].includes(profile?.rows ?? 0), `a dataset has 20 rows or 45, not ${profile?.rows}`);
    must(reference?.rows === profile?.rows, `${reference?.rows} rows were counted, of ${profile?.rows}`);
    for (const { name, cells, missing } of reference?.columns ?? [])
      must(cells.reduce((sum, count) => sum + count, missing) === profile?.rows, `${name} has not each row once`);
  }
}

export const dataScenarios: readonly Scenario[] = [
  {
    name: 'two datasets are profiled, validated and counted part by part',
    async act(universe) {
      await universe.release(looking);
      await universe.when(() => true);
      universe.drop('fraud/1.csv', rows(0, 20));
      await universe.when(serves(1));
      universe.drop('fraud/2.csv', rows(20, 45));
      await universe.when(serves(2));
    },
    expect(universe, calm) {
      sawEachRowOnce(universe);
      if (calm) champion(universe, 2);
    },
  },
  {
    name: 'a dataset without labels is refused before anything is paid',
    brief: true,
    async act(universe) {
      await universe.release(looking);
      await universe.when(() => true);
      universe.drop(
        'fraud/1.csv',
        rows(0, 20, () => ''),
      );
      await universe.when((model) => model.run !== undefined && settled(model));
    },
    expect(universe, calm) {
      must(universe.jobs.created().length === 0, 'a dataset that is refused starts no job');
      if (calm) runIs(universe, 'refused');
    },
  },
  {
    name: 'the second dataset is refused, and the champion serves on',
    async act(universe) {
      await universe.release(looking);
      await universe.when(() => true);
      universe.drop('fraud/1.csv', rows(0, 20));
      await universe.when(serves(1));
      universe.drop(
        'fraud/2.csv',
        rows(20, 45, () => ''),
      );
      await universe.when((model) => model.run?.trained === undefined && settled(model));
    },
    expect(universe, calm) {
      sawEachRowOnce(universe);
      must(trainings(universe) <= 1, `the second dataset was trained on: ${textOf(universe.model())}`);
      if (calm) champion(universe, 1);
      if (calm) runIs(universe, 'refused');
    },
  },
  {
    name: 'a file of a dataset is replaced while it is read',
    async act(universe) {
      await universe.release(looking);
      await universe.when(() => true);
      universe.drop('fraud/1.csv', rows(0, 45));
      await universe.when((model) => model.run?.status === 'profiling');
      universe.drop('fraud/1.csv', rows(0, 20));
      await universe.when(serves(1));
    },
    expect(universe, calm) {
      sawEachRowOnce(universe);
      if (calm) champion(universe, 1);
    },
  },
];
