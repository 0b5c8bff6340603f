import { describe, expect, test } from 'vitest';
import { checkShares } from './serving.ts';

describe('weights and a mirror', () => {
  test.each([
    [{}, undefined],
    [{ v1: 100 }, undefined],
    [{ v1: 95, v2: 5, v3: 0 }, undefined],
    [{ v1: 100 }, { deployment: 'v2', percent: 1 }],
    [
      { v1: 100, v2: 0 },
      { deployment: 'v2', percent: 100 },
    ],
  ])('%j and %j can be', (weights, mirror) => {
    expect(() => checkShares('fraud', weights, mirror)).not.toThrow();
  });

  test.each([
    [{ v1: 99 }, undefined, 'cannot weigh fraud as {"v1":99}: use integers from 0 to 100 that sum to 100'],
    [{ v1: 0 }, undefined, 'or none at all'],
    [{ v1: 99.5, v2: 0.5 }, undefined, 'use integers'],
    [{ v1: 101, v2: -1 }, undefined, 'use integers'],
    [{ v1: 100 }, { deployment: 'v2', percent: 0 }, 'cannot mirror 0 % of fraud'],
    [{ v1: 100 }, { deployment: 'v2', percent: 101 }, 'use an integer from 1 to 100'],
    [{ v1: 95, v2: 5 }, { deployment: 'v2', percent: 10 }, 'cannot mirror fraud to v2: it holds weight'],
  ])('%j and %j cannot be', (weights, mirror, why) => {
    expect(() => checkShares('fraud', weights, mirror)).toThrow(why);
  });
});
