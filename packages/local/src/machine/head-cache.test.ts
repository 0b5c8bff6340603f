import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonical } from '@serin/core/base/json';
import { createEngine } from '@serin/core/engine/engine';
import type { Signal } from '@serin/core/engine/outcome';
import { planOf } from '@serin/core/model/model.fixture';
import type { Ports } from '@serin/core/ports/ports';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { noProfiler } from '../../../../test/simulation/fakes/profiler.ts';
import { sqliteJournal } from '../ports/journal.ts';
import { openDatabase } from './database.ts';
import { headCache } from './head-cache.ts';

describe('an own copy', () => {
  test('is what the JSON of the value would be parsed to, or is not made', () => {
    const cache = headCache(1000);

    fc.assert(
      fc.property(fc.anything({ withDate: true, withNullPrototype: true, withSparseArray: true }), (value) => {
        const copy = cache.ownCopy(value);
        if (copy !== undefined) expect(copy).toStrictEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    for (const value of [1, 'a', null, [], {}, { a: [{ b: true }] }, JSON.parse('{"__proto__":{"a":1}}')])
      expect(canonical(cache.ownCopy(value))).toBe(canonical(value));
  });

  test('is frozen, leaves the original alone, and shares what it has copied before', () => {
    const cache = headCache(1000);
    const original = { a: { b: [1] } };

    const copy = cache.ownCopy(original);
    original.a.b.push(2);
    const next = cache.ownCopy({ ...Object(copy), c: 1 });

    expect(copy).toEqual({ a: { b: [1] } });
    expect(() => Object(copy).a.b.push(3)).toThrow(TypeError);
    expect(Object(next).a).toBe(Object(copy).a);
  });
});

test('a cache keeps within its bound, and never goes back to an older head', () => {
  const cache = headCache(100);
  const head = (stream: string, seq: number) => ({ stream, seq, hash: `${seq}`, state: {} });

  cache.put(head('a', 2), 60);
  cache.put(head('a', 1), 60);
  expect(cache.get('a')?.seq).toBe(2);

  cache.put(head('b', 1), 60);
  expect([cache.get('a'), cache.get('b')?.seq]).toEqual([undefined, 1]);
});

test('signals that come to one model at once are all committed, each after the one before', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'serin-turns-'));
  const { database, close } = openDatabase(directory);
  onTestFinished(() => {
    close();
    rmSync(directory, { recursive: true, force: true });
  });
  const journal = sqliteJournal({ database });
  const bases: number[] = [];
  const counted = {
    ...journal,
    append(basedOn: number, write: Parameters<typeof journal.append>[1]) {
      bases.push(basedOn);
      return journal.append(basedOn, write);
    },
  };
  // No effect is performed: signals are only received.
  const ports = { journal: counted } as unknown as Ports;
  const engine = createEngine({
    ports,
    profiler: noProfiler,
    now: () => 1,
    self: 'test',
    alone: true,
    source: 'test',
  });
  const actor = { subject: 'ann', issuer: 'token', role: 'operator' } as const;
  const say = (id: string, said: Record<string, unknown>) =>
    engine.receive('model/fraud', { id, at: 1, actor, ...said } as unknown as Signal);
  await say('r', { type: 'configReleased', revision: 1, plan: planOf() });

  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      say(`s${index}`, { type: 'alertResolved', sender: 'x', fingerprint: `${index}` }),
    ),
  );

  expect(outcomes.map((outcome) => outcome.kind === 'moved' && outcome.seq)).toEqual(
    Array.from({ length: 100 }, (_, index) => index + 2),
  );
  expect(bases).toEqual(Array.from({ length: 101 }, (_, index) => index));
}, 30_000);
