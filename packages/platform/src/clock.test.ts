import { Fault } from '@serin/core/base/fault';
import type { Journal } from '@serin/core/ports/journal';
import { expect, test } from 'vitest';
import { memoryJournal } from '../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { tickDue, wakeSoon } from './clock.ts';

const now = 1_000_000;

function opened(tick: (stream: string, seconds?: number) => Promise<void> = async () => {}) {
  const ticked: string[] = [];
  const counts: (readonly [string, number | undefined])[] = [];
  const faults: string[] = [];
  return {
    ticked,
    counts,
    faults,
    clockwork: {
      journal: atOnce<Journal>(memoryJournal()),
      now: () => now,
      queue: { tick, ticks: async (streams: readonly string[]) => void ticked.push(...streams), send: async () => {} },
      log: {
        say: () => {},
        fault: (what: string) => void faults.push(what),
        count: (metric: string, _: object, value?: number) => void counts.push([metric, value]),
      },
      withoutSecrets: (body: string) => body,
    },
  };
}

test('each stream that is due is ticked, over all pages', async () => {
  const { clockwork, ticked, counts } = opened();
  const due: Journal['due'] = async (_, cursor) =>
    cursor === undefined
      ? { items: [{ stream: 'model/a', due: now - 1000 }], next: 'more' }
      : { items: [{ stream: 'model/b', due: now - 5000 }] };

  await tickDue({ ...clockwork, journal: { ...clockwork.journal, due } });

  expect(ticked).toEqual(['model/a', 'model/b']);
  expect(counts).toEqual([
    ['Ticks', 2],
    ['OldestDueSeconds', 5],
  ]);
});

test('a minute in which nothing is due counts nothing', async () => {
  const { clockwork, counts } = opened();

  await tickDue(clockwork);

  expect(counts).toEqual([]);
});

test('a stream that waits for less than the minute of the clock is woken in time, after a second at least', async () => {
  const woken: (readonly [string, number | undefined])[] = [];
  const { clockwork } = opened(async (stream, seconds) => void woken.push([stream, seconds]));

  await wakeSoon(
    clockwork,
    new Map([
      ['model/late', now - 5000],
      ['model/soon', now + 1500],
      ['model/next', now + 60_000],
    ]),
  );

  expect(woken).toEqual([
    ['model/late', 1],
    ['model/soon', 2],
  ]);
});

test('a stream that cannot be woken now is left to the clock, and the others are woken', async () => {
  const woken: string[] = [];
  const { clockwork, faults } = opened(async (stream) => {
    if (stream === 'model/a') throw new Fault('unavailable', 'the queue does not answer');
    woken.push(stream);
  });

  await wakeSoon(
    clockwork,
    new Map([
      ['model/a', now],
      ['model/b', now],
    ]),
  );

  expect(woken).toEqual(['model/b']);
  expect(faults).toEqual(['waking model/a']);
});
