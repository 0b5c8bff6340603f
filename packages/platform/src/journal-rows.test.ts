import type { Append } from '@serin/core/ports/journal';
import { describe, expect, test } from 'vitest';
import {
  indexKeys,
  journalPageSize,
  mergedPage,
  parsed,
  recentPlaces,
  refuseGap,
  rowsOf,
  shardOf,
  sortable,
} from './journal-rows.ts';
import { packed, unpacked } from './packed.ts';

const limits = { stream: 20, nameKey: 12, summary: 30, text: 400 };

function write(change: Partial<Append> & { readonly stream?: string } = {}): Append {
  const { stream = 'model/fraud', ...rest } = change;
  const actor = { subject: 'ann', issuer: 'token', role: 'admin' } as const;
  const signal = { type: 'asked' };
  const entry = { stream, seq: 3, at: 1, actor, signal, patch: {}, events: [], previousHash: 'a', hash: 'b' };
  return { entry, state: { status: 'idle' }, ...rest };
}

describe('the rows of an append', () => {
  test('hold what it wrote as text', () => {
    const rows = rowsOf(write({ due: 5, name: { key: 'model/fraud', summary: { status: 'idle' } } }), limits);

    expect(rows).toMatchObject({ stream: 'model/fraud', seq: 3, hash: 'b', due: 5, state: '{"status":"idle"}' });
    expect(rows.name).toEqual({ key: 'model/fraud', summary: '{"status":"idle"}' });
    expect(JSON.parse(rows.entry)).toEqual(write().entry);
  });

  test.each([
    ['a due that is not whole', { due: 0.5 }, 'due 0.5 is not a whole number'],
    ['a stream without a name', { stream: '' }, 'its name is empty'],
    ['half a surrogate pair', { stream: 'a\ud800' }, 'not valid Unicode'],
    ['a name that is too long, in bytes', { stream: 'ääääääääääa' }, 'its name has 21 bytes, more than 20'],
    ['a long name key', { name: { key: 'x'.repeat(13), summary: 1 } }, 'its name key has 13 bytes, more than 12'],
    ['a long summary', { name: { key: 'x', summary: 'x'.repeat(29) } }, 'its summary has 31 bytes, more than 30'],
    ['a large state', { state: 'x'.repeat(400) }, 'its state has 402 bytes, more than 400'],
  ])('are not made of %s', (_, change, why) => {
    expect(() => rowsOf(write(change), limits)).toThrow(why);
  });

  test('may fill each limit to the last byte', () => {
    const name = { key: 'x'.repeat(12), summary: 'x'.repeat(28) };
    const full = write({ stream: 'ä'.repeat(10), name, state: 'x'.repeat(398) });

    expect(() => rowsOf(full, limits)).not.toThrow();
  });

  test('an entry that leaves a gap is a conflict', () => {
    expect(() => refuseGap(3, { stream: 'model/fraud', seq: 4 })).not.toThrow();
    for (const seq of [3, 5])
      expect(() => refuseGap(3, { stream: 'model/fraud', seq })).toThrow(
        `cannot append to model/fraud: entry ${seq} does not follow 3; load it and decide again`,
      );
  });
});

describe('index rows', () => {
  // They are taken away by their keys, and found in their shard: neither may change for a stream that is there.
  test('have the keys and the shard that they always had', () => {
    const rows = rowsOf(write({ due: 1_764_417_600_000, name: { key: 'model/fraud', summary: 1 } }), limits);

    const keys = indexKeys(rows, { due: '#', name: '\0' });

    expect(keys).toEqual({ due: '0001764417600000#ebc8481b4a508ec1', name: 'model/fraud\0ebc8481b4a508ec1' });
    expect(shardOf('model/fraud', 16)).toBe(11);
  });

  test('a name key that would hide where it ends is refused', () => {
    const rows = rowsOf(write({ name: { key: 'a!b', summary: 1 } }), limits);

    expect(() => indexKeys(rows, { due: '!', name: '!' })).toThrow('its name key contains "!"');
  });

  test('numbers sort as text', () => {
    const numbers = [0, 9, 10, 99, 1_764_417_600_000, Number.MAX_SAFE_INTEGER];

    expect(numbers.map(sortable).sort()).toEqual(numbers.map(sortable));
    expect(sortable(-5)).toBe(sortable(0));
  });

  test('of all shards make one page in order, which says where it goes on only when there is more', () => {
    const all = Array.from({ length: journalPageSize + 1 }, (_, at) => sortable(at));
    const shards = [all.filter((_, at) => at % 2 === 0), [], all.filter((_, at) => at % 2 === 1)];

    const page = mergedPage(shards, (row) => row);
    const whole = mergedPage([all.slice(1)], (row) => row);

    expect(page.items).toEqual(all.slice(0, journalPageSize));
    expect(page.next).toBeDefined();
    expect([whole.items.length, whole.next]).toEqual([journalPageSize, undefined]);
  });
});

test('of the places of streams the last that were used are remembered, each at its seq', () => {
  const places = recentPlaces(2);
  for (const stream of ['a', 'b', 'a', 'c']) places.remember(stream, { seq: 1 });

  expect([places.at('a', 1), places.at('b', 1), places.at('c', 1)]).toEqual([{ seq: 1 }, undefined, { seq: 1 }]);
  expect(places.at('a', 2)).toBeUndefined();
  places.forget('a');
  expect(places.at('a', 1)).toBeUndefined();
});

describe('a packed text', () => {
  test('comes back, and names what it does not fit into', async () => {
    const text = JSON.stringify({ text: 'serin '.repeat(1000) });
    const bytes = await packed(text, 'model/fraud', 'state', { bytes: 100, of: 'a document' });

    expect(await unpacked(bytes, () => 'the state')).toEqual(JSON.parse(text));
    await expect(packed(text, 'model/fraud', 'state', { bytes: 20, of: 'a document' })).rejects.toMatchObject({
      code: 'invalid',
      message: `cannot append to "model/fraud": its state has ${bytes.length} bytes gzipped, more than the 20 of a document; this is a defect of Serin, report it`,
    });
  });

  test('damage is named, so that whoever restores the database knows what was hit', async () => {
    const what = () => 'the state of model/fraud';

    await expect(unpacked(new Uint8Array([1, 2]), what)).rejects.toMatchObject({ code: 'defect' });
    await expect(unpacked(undefined, what)).rejects.toThrow('the state of model/fraud in the journal is damaged');
    expect(() => parsed('{', what)).toThrow('it is not JSON; restore the database from a backup');
  });
});
