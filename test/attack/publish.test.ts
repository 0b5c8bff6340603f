import { perform } from '@serin/core/engine/perform';
import type { CloudEvent } from '@serin/core/ports/bus';
import { nextEntry } from '@serin/core/ports/entry';
import type { Entry } from '@serin/core/ports/journal';
import type { Ports } from '@serin/core/ports/ports';
import { expect, test } from 'vitest';
import { driver } from '../../packages/core/src/model/model.fixture.ts';
import { noProfiler } from '../simulation/fakes/profiler.ts';

const actor = { subject: 'serin', issuer: 'engine', role: 'system' } as const;

test('events that waited through a long silence of the bus are published in their order', async () => {
  const entries: Entry[] = [];
  for (let seq = 1; seq <= 350; seq += 1)
    entries.push(
      nextEntry(undefined, {
        stream: 'model/fraud',
        at: seq,
        actor,
        signal: {},
        state: {},
        events: [{ type: 't', subject: 's', data: { seq } }],
      }),
    );
  const published: CloudEvent[] = [];
  const ports = {
    journal: {
      history: async (_: string, before: number, limit: number) =>
        entries
          .map((entry, index) => ({ ...entry, seq: index + 1 }))
          .filter(({ seq }) => seq < before)
          .reverse()
          .slice(0, limit),
    },
    bus: { publish: async (events: readonly CloudEvent[]) => void published.push(...events) },
  } as unknown as Ports;
  const around = {
    ports,
    profiler: noProfiler,
    now: () => 0,
    stream: 'model/fraud',
    source: 'test',
    tell: () => Promise.reject(new Error()),
  };

  await perform({ key: 'publish/20', kind: 'publish', from: 20, to: 345 }, around);

  expect(published.map(({ id }) => id)).toEqual(
    Array.from({ length: 325 }, (_, index) => `model/fraud/${index + 21}/0`),
  );
});

test('a model that could not publish for long owes its events in parts that get done', () => {
  const drive = driver();
  for (let entry = 0; entry < 1_200; entry += 1)
    drive.say({
      type: 'alertRaised',
      kind: 'alert',
      sender: 's',
      fingerprint: 'f',
      startedAt: `t${entry}`,
      title: 't',
    });

  expect(drive.owed('publish')).toMatchObject([{ from: 0, to: 1_000 }]);
  drive.wait(100_000);
  drive.answer('publish', { type: 'announced', upTo: 1_000 });
  expect(drive.owed('publish')).toMatchObject([{ from: 1_000, to: 1_201 }]);
}, 30_000);
