import { expect, test } from 'vitest';
import { endpointOwners, nameOf } from './names.ts';

const installation = { project: 'shop', environment: 'prod' };
const endpointName = (of: typeof installation, model: string) =>
  nameOf(of, 'endpoint', { readable: model, key: model, max: 63 });
const nameIn = (project: string, model: string) => endpointName({ ...installation, project }, model);

function opened(named = endpointName, project = installation.project) {
  let models: object = { fraud: {} };
  let looks = 0;
  const ownerOf = endpointOwners({
    installation: { ...installation, project },
    endpointName: named,
    models: async () => {
      looks += 1;
      return models;
    },
  });
  return {
    ownerOf,
    looks: () => looks,
    release: (next: object) => {
      models = next;
    },
  };
}

test('an endpoint is of the model that it is named for, as the config says now', async () => {
  const { ownerOf, release } = opened();

  const owners = () => Promise.all(['fraud', 'churn'].map((model) => ownerOf(nameIn('shop', model))));

  const before = await owners();
  release({ churn: {} });
  const after = await owners();

  expect([before, after]).toEqual([
    ['fraud', undefined],
    [undefined, 'churn'],
  ]);
});

test('for an endpoint of others nobody reads the config', async () => {
  const { ownerOf, looks } = opened();

  const foreign = [
    nameIn('other', 'fraud'),
    nameIn('shops', 'fraud').replace('prod', 'test'),
    `fraud-${'0'.repeat(16)}`,
  ];
  for (const name of foreign) expect(await ownerOf(name)).toBeUndefined();
  expect(looks()).toBe(0);
});

test.each(['shop', 'a-project-of-a-long-name'])(
  'a short name shows its owner too, with the project %s',
  async (project) => {
    const short = (of: typeof installation, model: string) =>
      nameOf(of, 'endpoint', { readable: model, key: model, max: 32 }).replace(/-+/g, '-');
    const { ownerOf } = opened(short, project);

    expect(await ownerOf(short({ ...installation, project }, 'fraud'))).toBe('fraud');
  },
);
