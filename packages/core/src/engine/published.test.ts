import { describe, expect, test } from 'vitest';
import { noProfiler } from '../../../../test/simulation/fakes/profiler.ts';
import { Fault } from '../base/fault.ts';
import type { Json } from '../base/json.ts';
import { day, hour } from '../base/time.ts';
import type { CloudEvent } from '../ports/bus.ts';
import { nextEntry } from '../ports/entry.ts';
import type { Append, Entry, Head } from '../ports/journal.ts';
import type { SinkPlan } from '../ports/notify.ts';
import type { Ports } from '../ports/ports.ts';
import { perform } from './perform.ts';

const at = Date.UTC(2026, 0, 1);
const stream = 'model/fraud';
const actor = { subject: 'ann', issuer: 'token', role: 'operator' } as const;
const sink: SinkPlan = { name: 'pager', kind: 'slack', on: ['run.*'], settings: { url: 'https://a.example' } };

/** A journal with one entry for each list of event types, and a sink that answers as it is told to. */
function world(
  types: readonly (readonly string[])[],
  answer: (event: CloudEvent, told: number) => Fault | undefined = () => undefined,
) {
  const streams = new Map<string, { head: Head; entries: Entry[] }>();
  const append = (_: number, { entry, state }: Append) => {
    const known = streams.get(entry.stream)?.entries ?? [];
    const head = { stream: entry.stream, seq: entry.seq, hash: entry.hash, state };
    streams.set(entry.stream, { head, entries: [...known, entry] });
  };
  for (const names of types) {
    const head = streams.get(stream)?.head;
    const events = names.map((name) => ({ type: `dev.serin.${name}.v1`, subject: 'runs/1', data: {} }));
    const state: Json = { count: (head?.seq ?? 0) + 1 };
    append(0, { entry: nextEntry(head, { stream, at, actor, signal: {}, state, events }), state });
  }
  let now = at;
  const batches: (readonly string[])[] = [];
  const told: string[] = [];
  const ports = {
    journal: {
      head: async (name: string) => streams.get(name)?.head,
      append: async (basedOn: number, write: Append) => append(basedOn, write),
      history: async (name: string, before = Infinity, limit: number) =>
        (streams.get(name)?.entries ?? [])
          .filter(({ seq }) => seq < before)
          .toReversed()
          .slice(0, limit),
    },
    bus: { publish: async (events: readonly CloudEvent[]) => void batches.push(events.map(({ id }) => id)) },
    notify: {
      async deliver(_: SinkPlan, event: CloudEvent) {
        now += 1000;
        const fault = answer(event, told.length);
        if (fault !== undefined) throw fault;
        told.push(event.id);
      },
    },
  } as unknown as Ports;
  return {
    told,
    batches,
    publish: (from: number, to: number) =>
      perform(
        { key: `publish/${from}`, kind: 'publish', from, to },
        {
          ports,
          profiler: noProfiler,
          now: () => now,
          stream,
          source: 'test',
          tell: () => expect.fail('nothing is told'),
        },
      ),
    letters: () => [...streams.keys()].filter((name) => name.startsWith('dead/')),
    letter: (id: string) => streams.get(`dead/${id}`)?.head.state,
    pass: (ms: number) => {
      now += ms;
    },
    notify: (from: number, to: number, only: { readonly index?: number; readonly delivered?: number } = {}) =>
      perform(
        { key: `notify/pager/${from}`, kind: 'notify', sink, from, to, ...only },
        {
          ports,
          profiler: noProfiler,
          now: () => now,
          stream,
          source: 'test',
          tell: () => expect.fail('nothing is told'),
        },
      ),
  };
}

const unavailable = new Fault('unavailable', 'it answered 503');
const invalid = new Fault('invalid', 'it answered 422: no such field');

test('the bus is not asked to publish nothing', async () => {
  const { publish, batches } = world([['run.started'], ...Array.from({ length: 150 }, () => []), ['run.failed']]);

  await publish(0, 152);

  expect(batches).toEqual([['model/fraud/1/0'], ['model/fraud/152/0']]);
  await publish(1, 151);
  expect(batches).toHaveLength(2);
});

describe('telling a sink', () => {
  test('tells it what it wants of the entries that are new, in order', async () => {
    const { told, notify } = world([
      ['run.started'],
      ['run.failed', 'rollout.held'],
      [],
      ['run.started', 'run.failed'],
    ]);

    expect(await notify(1, 4)).toEqual({ type: 'notified', upTo: 4 });

    expect(told).toEqual(['model/fraud/2/0', 'model/fraud/4/0', 'model/fraud/4/1']);
  });

  test.each([1, 2])(
    'once more is told of the one event that became a dead letter, wanted or not: %d',
    async (index) => {
      const { told, notify } = world([['run.started', 'run.failed', 'rollout.held']]);

      await notify(0, 1, { index });

      expect(told).toEqual([`model/fraud/1/${index}`]);
    },
  );

  test('that fails within an entry hears the rest of it, and nothing twice', async () => {
    let isDown = true;
    const { told, notify } = world(
      [['run.started', 'rollout.held', 'run.failed', 'run.refused'], ['run.started']],
      (_, so) => (isDown && so === 1 ? unavailable : undefined),
    );

    expect(await notify(0, 2)).toEqual({ type: 'notified', upTo: 0, delivered: 1 });
    await expect(notify(0, 2, { delivered: 1 })).rejects.toBe(unavailable);
    isDown = false;
    expect(await notify(0, 2, { delivered: 1 })).toEqual({ type: 'notified', upTo: 2 });

    expect(told).toEqual(['model/fraud/1/0', 'model/fraud/1/2', 'model/fraud/1/3', 'model/fraud/2/0']);
  });

  test('passes over more entries than a batch has', async () => {
    const { told, notify } = world(
      Array.from({ length: 250 }, (_, index) => (index % 100 === 0 ? ['run.started'] : [])),
    );

    expect(await notify(0, 250)).toEqual({ type: 'notified', upTo: 250 });

    expect(told).toEqual(['model/fraud/1/0', 'model/fraud/101/0', 'model/fraud/201/0']);
  });

  test('that fails at once fails, and nothing counts as told', async () => {
    const { notify } = world([['run.started']], () => unavailable);

    await expect(notify(0, 1)).rejects.toBe(unavailable);
  });

  test('that fails later counts what was told before', async () => {
    const { notify } = world([['run.started'], ['run.failed'], ['run.started']], (_, told) =>
      told === 2 ? unavailable : undefined,
    );

    expect(await notify(0, 3)).toEqual({ type: 'notified', upTo: 1, delivered: 1 });
  });

  test('that takes long answers with what was told so far', async () => {
    const { notify } = world(Array.from({ length: 30 }, () => ['run.started']));

    expect(await notify(0, 30)).toEqual({ type: 'notified', upTo: 10, delivered: 1 });
  });

  test('keeps an event that it refuses for good as a dead letter, once, and goes on', async () => {
    const { told, letters, letter, notify } = world([['run.started'], ['run.failed']], ({ type }) =>
      type.includes('started') ? invalid : undefined,
    );

    expect(await notify(0, 2)).toEqual({ type: 'notified', upTo: 2 });
    await notify(0, 2);

    expect(told).toEqual(['model/fraud/2/0', 'model/fraud/2/0']);
    expect(letters()).toEqual(['dead/notify/pager/model/fraud/1/0']);
    expect(letter('notify/pager/model/fraud/1/0')).toMatchObject({
      stream,
      status: 'waiting',
      signal: { type: 'notifyRequested', sink: 'pager', seq: 1, index: 0 },
      because: "the sink 'pager' was not told of dev.serin.run.started.v1: it answered 422: no such field",
    });
  });

  test('waits three days for a sink that is down, and no longer', async () => {
    const { letters, pass, notify } = world([['run.started']], () => unavailable);

    pass(3 * day - hour);
    await expect(notify(0, 1)).rejects.toBe(unavailable);
    pass(2 * hour);

    expect(await notify(0, 1)).toEqual({ type: 'notified', upTo: 1 });
    expect(letters()).toEqual(['dead/notify/pager/model/fraud/1/0']);
  });
});
