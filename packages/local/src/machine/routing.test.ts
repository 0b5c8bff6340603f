import type { Deployment, Weights } from '@serin/core/ports/serving';
import { describe, expect, test } from 'vitest';
import { routeOf } from '../ports/serving.ts';
import { cryptoCoin, pick } from './routing.ts';

/** How many of the numbers 0..99 each deployment has. */
function shares(weights: Weights): Readonly<Record<string, number>> {
  const deployments = new Map(
    // Only its version is looked at.
    Object.keys(weights).map((name) => [name, { name, version: Number(name.slice(1)) } as Deployment]),
  );
  const route = routeOf('e', { weights, mirror: undefined }, deployments);
  const found: Record<string, number> = {};
  for (let number = 0; number < 100; number += 1) {
    const name = route.arms[pick(route, number)]?.deployment ?? 'nobody';
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

describe('a route', () => {
  test('gives each deployment exactly its percent of the numbers', () => {
    for (let weight = 1; weight < 100; weight += 1)
      expect(shares({ v1: 100 - weight, v2: weight })).toEqual({ v1: 100 - weight, v2: weight });
  });

  test.each<[Weights, Readonly<Record<string, number>>]>([
    [{ v1: 100 }, { v1: 100 }],
    [{ v1: 100, v2: 0 }, { v1: 100 }],
    [
      { v1: 33, v2: 33, v3: 34 },
      { v1: 33, v2: 33, v3: 34 },
    ],
    [{}, { nobody: 100 }],
  ])('of %j shares out %j', (weights, expected) => {
    expect(shares(weights)).toEqual(expected);
  });

  test('keeps a number that a new version has at 5 % with it at 25 %', () => {
    const arms = (weight: number) => [
      { deployment: 'v2', below: weight },
      { deployment: 'v1', below: 100 },
    ];
    const at = (weight: number, number: number) => pick({ endpoint: 'e', weights: {}, arms: arms(weight) }, number);

    expect([0, 4, 5, 24, 25].map((number) => [at(5, number), at(25, number)])).toEqual([
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
      [1, 1],
    ]);
  });
});

test('a coin falls on each of 0..99, and on nothing else', () => {
  const coin = cryptoCoin();
  const counts = new Array<number>(100).fill(0);

  for (let toss = 0; toss < 100_000; toss += 1) {
    const number = coin();
    expect(Number.isInteger(number) && number >= 0 && number < 100).toBe(true);
    counts[number] = (counts[number] ?? 0) + 1;
  }

  // Eight standard deviations of a fair coin: once in 10^13 runs.
  expect(counts.filter((count) => Math.abs(count - 1000) > 8 * Math.sqrt(990))).toEqual([]);
});
