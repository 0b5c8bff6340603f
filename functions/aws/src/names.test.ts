import { endpointOwners } from '@serin/platform/names';
import { expect, test } from 'vitest';
import { endpointName } from './names.ts';

const installation = { project: 'shop', environment: 'prod' };

test('an endpoint is found among ten thousand models, whose names are made once and not for each event', async () => {
  let looks = 0;
  const all = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`model-${index}`, {}]));
  const models = new Proxy(all, {
    ownKeys(target) {
      looks += 1;
      return Reflect.ownKeys(target);
    },
  });
  const ownerOf = endpointOwners({ installation, models: async () => models, endpointName });

  const owners = [];
  for (let event = 0; event < 10; event += 1)
    owners.push(await ownerOf(endpointName(installation, `model-${event * 1000}`)));

  expect(owners).toEqual(Array.from({ length: 10 }, (_, event) => `model-${event * 1000}`));
  expect(looks).toBe(1);
});

test('an endpoint of a model that a later config has is found, and one that it has not is nobody’s', async () => {
  let models: object = { fraud: {} };
  const ownerOf = endpointOwners({ installation, models: async () => models, endpointName });
  const seen = [await ownerOf(endpointName(installation, 'churn')), await ownerOf(endpointName(installation, 'fraud'))];

  models = { churn: {} };

  expect(seen).toEqual([undefined, 'fraud']);
  expect(await ownerOf(endpointName(installation, 'churn'))).toBe('churn');
  expect(await ownerOf(endpointName(installation, 'fraud'))).toBeUndefined();
  expect(await ownerOf('theirs')).toBeUndefined();
});
