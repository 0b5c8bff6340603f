import { describe, expect, test } from 'vitest';
import { memoryJournal } from '../../../../test/simulation/fakes/journal.ts';
import { noProfiler } from '../../../../test/simulation/fakes/profiler.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { Fault } from '../base/fault.ts';
import {
  converge,
  type Driver,
  driver,
  fakeEndpoint,
  human,
  score,
  trainOne,
  withChampion,
} from '../model/model.fixture.ts';
import { nextEntry } from '../ports/entry.ts';
import type { Head, Journal } from '../ports/journal.ts';
import type { Ports } from '../ports/ports.ts';
import type { Operation } from '../ports/serving.ts';
import { createEngine, type Only } from './engine.ts';

const stream = 'model/fraud';

/** An engine over a model in this state; `journal` replaces some of its methods. */
function engineOver(drive: Driver, journal: (real: Journal, clock: { now: number }) => Partial<Journal> = () => ({})) {
  const clock = { now: drive.now };
  const memory = memoryJournal();
  const state = drive.state as never;
  memory.append(0, { entry: nextEntry(undefined, { stream, at: drive.now, actor: human, signal: {}, state }), state });
  const real = atOnce<Journal>(memory);
  const changes: Operation[] = [];
  const away = new Proxy({}, { get: () => () => Promise.reject(new Fault('unavailable', 'not in this test')) });
  const serving = {
    change: async (_: string, operation: Operation) => {
      changes.push(operation);
      return 'accepted' as const;
    },
    observe: () => Promise.reject(new Fault('unavailable', 'not in this test')),
  };
  const ports = {
    ...{ jobs: away, registry: away, telemetry: () => away, bus: away, bucket: () => away },
    ...{ serving: () => serving, journal: { ...real, ...journal(real, clock) } },
  } as unknown as Ports;
  const engine = createEngine({
    ports,
    profiler: noProfiler,
    now: () => clock.now,
    self: 'engine',
    alone: true,
    source: 'test',
  });
  return { engine, changes, clock, head: () => memory.head(stream) };
}

/** What a first version wants next: all traffic, which rises. */
function rising(): Driver {
  const drive = driver();
  const endpoint = fakeEndpoint();
  trainOne(drive, 'one');
  score(drive, 0.8);
  return weighing(drive, endpoint);
}

/** What an aborted candidate wants next: no traffic any more. */
function falling(): Driver {
  const { drive, endpoint } = withChampion();
  trainOne(drive, 'two');
  score(drive, 0.9, 0.8);
  converge(drive, endpoint);
  drive.say({ type: 'abortRequested' });
  return weighing(drive, endpoint);
}

function weighing(drive: Driver, endpoint: ReturnType<typeof fakeEndpoint>): Driver {
  for (let round = 0; round < 20; round += 1) {
    const [order] = drive.owed('change');
    if (order?.kind === 'change' && order.operation.kind === 'weigh') return drive;
    if (order?.kind === 'change') {
      endpoint.apply(order.operation);
      drive.answer('change', { type: 'endpointChanged', answer: 'accepted' });
    } else if (drive.owed('observe').length > 0)
      drive.answer('observe', { type: 'endpointObserved', begunAt: drive.now, observation: endpoint.observe() });
    else drive.wait(1000);
  }
  throw new Error('no weight is owed');
}

describe('a commit', () => {
  const moves = (losses: number) => {
    const lost = { times: 0 };
    const over = engineOver(driver(), (real) => ({
      append: (basedOn, write) => {
        if (lost.times >= losses) return real.append(basedOn, write);
        lost.times += 1;
        return Promise.reject(new Fault('conflict', 'another was first'));
      },
    }));
    const signal = { type: 'dataHinted', keys: ['fraud/a.csv'], id: 's', at: over.clock.now, actor: human } as const;
    return { ...over, lost, receive: (only?: Only) => over.engine.receive(stream, signal, only) };
  };

  test('that others were first to is decided again, eight times in all', async () => {
    const { receive, lost } = moves(7);

    expect((await receive()).kind).toBe('moved');
    expect(lost.times).toBe(7);
  });

  test('that others keep winning is a conflict in the end, and nothing was written', async () => {
    const { receive, lost, head } = moves(8);

    await expect(receive()).rejects.toMatchObject({ code: 'conflict' });
    expect([lost.times, head()?.seq]).toEqual([8, 1]);
  });

  test('looks at every head that it decides on, and writes nothing when that one must not be', async () => {
    const { receive, head } = moves(2);
    const seen: (number | undefined)[] = [];
    const only = (given: Head | undefined) => {
      seen.push(given?.seq);
      if (seen.length === 3) throw new Fault('notFound', 'it has moved on');
    };

    await expect(receive(only)).rejects.toMatchObject({ code: 'notFound' });
    expect([seen, head()?.seq]).toEqual([[1, 1, 1], 1]);
  });
});

describe('a call', () => {
  /** The clock is this much later once the order has been taken: the process slept. */
  const after = (ms: number) => (real: Journal, clock: { now: number }) => ({
    append: async (...given: Parameters<Journal['append']>) => {
      await real.append(...given);
      clock.now += ms;
    },
  });

  test.each([
    ['with half a minute of its lease left is begun', 60_000, 1],
    ['with less of its lease left is left to whoever takes it next', 60_001, 0],
  ])('%s', async (_, asleep, calls) => {
    const { engine, changes } = engineOver(falling(), after(asleep));

    await engine.dispatch(stream);

    expect(changes).toHaveLength(calls);
  });
});

describe('before a weight rises', () => {
  /** An abort comes between taking the order and carrying it out: nothing is owed any more. */
  const withdrawn = (real: Journal) => {
    let appended = false;
    return {
      append: async (...given: Parameters<Journal['append']>) => {
        await real.append(...given);
        appended = true;
      },
      head: async (name: string) => {
        const head = await real.head(name);
        return head === undefined || !appended ? head : { ...head, state: { ...Object(head.state), debts: {} } };
      },
    };
  };

  test('the head is read again, and an order that is not owed any more is not carried out', async () => {
    const { engine, changes } = engineOver(rising(), withdrawn);

    await engine.dispatch(stream);

    expect(changes).toEqual([]);
  });

  test('one that is owed still is carried out', async () => {
    const { engine, changes } = engineOver(rising());

    await engine.dispatch(stream);

    expect(changes).toEqual([{ kind: 'weigh', weights: { v1: 100 } }]);
  });

  test('one that falls waits for no second look', async () => {
    const { engine, changes } = engineOver(falling(), withdrawn);

    await engine.dispatch(stream);

    expect(changes).toEqual([{ kind: 'weigh', weights: { v1: 100 } }]);
  });
});
