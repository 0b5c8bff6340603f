import { expect, test } from 'vitest';
import { endpointOwners } from './names.ts';

const installation = { project: 'shop', environment: 'prod' };
const endpointName = (_: typeof installation, model: string) => `prod-shop--${model}`;

function opened() {
  let models: object = { fraud: {} };
  let looks = 0;
  const ownerOf = endpointOwners({
    installation,
    endpointName,
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

  const before = [await ownerOf('prod-shop--fraud'), await ownerOf('prod-shop--churn')];
  release({ churn: {} });
  const after = [await ownerOf('prod-shop--fraud'), await ownerOf('prod-shop--churn')];

  expect([before, after]).toEqual([
    ['fraud', undefined],
    [undefined, 'churn'],
  ]);
});

test('for an endpoint of others nobody reads the config', async () => {
  const { ownerOf, looks } = opened();

  expect([await ownerOf('test-shop--fraud'), await ownerOf('fraud')]).toEqual([undefined, undefined]);
  expect(looks()).toBe(0);
});
