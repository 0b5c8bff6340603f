import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hunt, plantedBugs } from './bugs.ts';
import { calmPlan, planOf } from './plans.ts';
import { plantedIn } from './planted.ts';
import { runPlan } from './run.ts';
import { scenarios } from './scenarios.ts';

const bugNamed = (name: string) => {
  const bug = plantedBugs.find((planted) => planted.name === name);
  if (bug === undefined) throw new Error(`no bug is called '${name}'`);
  return bug;
};

const canBeRead = (source: string): boolean => {
  try {
    stripTypeScriptTypes(source);
    return true;
  } catch {
    return false;
  }
};

describe('the simulator', () => {
  test('can plant each of its bugs: the text that it replaces is there, and what comes of it can be read', () => {
    const unplantable = plantedBugs.flatMap(({ name, change }) => {
      if (change === undefined) return [];
      const source = readFileSync(join(import.meta.dirname, '../../packages', change.file), 'utf8');
      const planted = plantedIn(source, change);
      return planted !== source && canBeRead(planted) ? [] : [name];
    });

    expect(unplantable).toEqual([]);
  });

  test('keeps every promise of the product under one hundred hostile schedules', { timeout: 180_000 }, async () => {
    const broken: string[] = [];
    for (let seed = 1; seed <= 100; seed += 1) {
      const { problem } = await runPlan(planOf(seed));
      if (problem !== undefined) broken.push(`seed ${seed}: ${problem.message}`);
    }

    expect(broken).toEqual([]);
  });

  test('plays one seed the same way twice', { timeout: 20_000 }, async () => {
    for (const seed of [3, 7, 11]) {
      const [first, second] = [await runPlan(planOf(seed)), await runPlan(planOf(seed))];

      expect(second.trace).toEqual(first.trace);
      expect(first.trace.length).toBeGreaterThan(50);
    }
  });

  test('survives the death of its process at every fifth call of a first release', { timeout: 60_000 }, async () => {
    const [scenario] = scenarios;
    if (scenario === undefined) throw new Error('there are no scenarios');
    const plan = calmPlan(scenario);
    const { calls } = await runPlan(plan);
    const broken: string[] = [];
    for (let call = 0; call < calls; call += 5) {
      const { problem } = await runPlan({ ...plan, crashAt: { call, when: call % 2 === 0 ? 'before' : 'after' } });
      if (problem !== undefined) broken.push(`call ${call}: ${problem.message}`);
    }

    expect(calls).toBeGreaterThan(100);
    expect(broken).toEqual([]);
  });

  test.each([
    ['an append asks for no base', 'invariant 8'],
    ['a tick is counted before its outcomes have come', 'invariant 15'],
  ])('finds a planted bug: %s', { timeout: 60_000 }, async (name, invariant) => {
    const found = await hunt(bugNamed(name), 200);

    expect(found.seed).toBeDefined();
    expect(found.invariant).toContain(invariant);
  });
});
