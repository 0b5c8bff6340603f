import { Fault } from '@serin/core/base/fault';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Creation, type KnownJob, startOnce, stopOthers, unknownMs } from './start-once.ts';

/** A provider that makes a job at each request, and a store of one intent; `listed`: what its list shows. */
function provider() {
  const jobs: KnownJob[] = [];
  const said: string[] = [];
  let intent: { readonly at: number } | undefined;
  const world = {
    time: 1000,
    jobs,
    said,
    listed: (): readonly KnownJob[] => jobs,
    create: async (): Promise<string> => world.made(),
    made: (): string => {
      const id = String(jobs.length + 1);
      jobs.push({ id, createdAt: world.time, state: 'live' });
      return id;
    },
  };
  const creation: Creation = {
    now: () => world.time,
    async list() {
      said.push('list');
      return world.listed();
    },
    async stop(id) {
      said.push(`stop ${id}`);
    },
    async prepare() {
      said.push('prepare');
      return () => {
        said.push('create');
        return world.create();
      };
    },
    async intend() {
      said.push('intend');
      if (intent !== undefined && world.time - intent.at < unknownMs) return undefined;
      const mine = { at: world.time };
      intent = mine;
      return async () => {
        said.push('take back');
        if (intent === mine) intent = undefined;
      };
    },
  };
  return { ...world, creation, start: () => startOnce('run_1/train/1', creation), world };
}

const lost = (): never => {
  throw new Fault('unavailable', 'no answer');
};

describe('a job of a provider that takes no key', () => {
  let it: ReturnType<typeof provider>;
  beforeEach(() => {
    it = provider();
  });

  test('is asked for after an intent, and after a look behind the intent', async () => {
    const started = await it.start();

    expect(started).toEqual({ id: '1' });
    expect(it.said).toEqual(['list', 'prepare', 'intend', 'list', 'create']);
  });

  test('is adopted when it is listed, and nothing is prepared for it', async () => {
    await it.start();
    it.said.length = 0;

    expect(await it.start()).toEqual({ id: '1' });
    expect(it.said).toEqual(['list']);
  });

  test('whose answer was lost is not asked for again before it must have shown', async () => {
    it.world.create = async () => {
      it.world.made();
      return lost();
    };
    it.world.listed = () => [];
    await expect(it.start()).rejects.toMatchObject({ code: 'unavailable' });

    it.world.time += unknownMs - 1;
    await expect(it.start()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('not known'),
    });
    it.world.listed = () => it.jobs;

    expect(await it.start()).toEqual({ id: '1' });
    expect(it.jobs).toHaveLength(1);
  });

  test('whose request was lost is asked for again after that', async () => {
    it.world.create = async () => lost();
    await expect(it.start()).rejects.toMatchObject({ code: 'unavailable' });
    it.world.create = async () => it.world.made();

    it.world.time += unknownMs;

    expect(await it.start()).toEqual({ id: '1' });
  });

  test('that was refused can be asked for again at once', async () => {
    it.world.create = async () => {
      throw new Fault('invalid', 'no quota');
    };
    await expect(it.start()).rejects.toMatchObject({ code: 'invalid' });
    it.world.create = async () => it.world.made();

    expect(await it.start()).toEqual({ id: '1' });
  });

  test('that another caller made between look and intent is adopted, also when it is over', async () => {
    let looks = 0;
    it.world.listed = () => {
      looks += 1;
      return looks === 1 ? [] : [{ id: '7', createdAt: 1, state: 'ended' }];
    };

    expect(await it.start()).toEqual({ id: '7' });
    expect(it.said).not.toContain('create');
  });

  test('is not asked for by one who was held up for more than a minute after the intent', async () => {
    let looks = 0;
    it.world.listed = () => {
      looks += 1;
      if (looks === 2) it.world.time += 60_001;
      return [];
    };

    await expect(it.start()).rejects.toMatchObject({ code: 'unavailable' });
    expect(it.said).not.toContain('create');
    expect(await it.start()).toEqual({ id: '1' });
  });

  test('is one of many concurrent starts: the others wait', async () => {
    it.world.listed = () => (it.said.includes('create') ? it.jobs : []);

    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => it.start()));

    expect(it.jobs).toHaveLength(1);
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'unavailable' });
      else expect(answer.value).toEqual({ id: '1' });
  });

  test('of several is the earliest that was not stopped, and the others are stopped', async () => {
    const job = (id: string, createdAt: number, state: KnownJob['state']): KnownJob => ({ id, createdAt, state });
    it.world.listed = () => [job('4', 9, 'live'), job('3', 2, 'live'), job('2', 2, 'live'), job('1', 1, 'stopped')];

    expect(await it.start()).toEqual({ id: '2' });
    expect(it.said).toEqual(['list', 'stop 4', 'stop 3']);
  });

  test('that is described stops those that were made beside it, and none that is over', async () => {
    it.world.listed = () => [
      { id: '1', createdAt: 1, state: 'live' },
      { id: '2', createdAt: 2, state: 'live' },
      { id: '3', createdAt: 3, state: 'ended' },
    ];

    await stopOthers(it.creation, '2');

    expect(it.said).toEqual(['list', 'stop 1']);
  });
});
