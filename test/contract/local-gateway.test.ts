import { once } from 'node:events';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Assignment } from '@serin/local/machine/assignments';
import { openDatabase } from '@serin/local/machine/database';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  callTo,
  deploymentOf,
  giveUp,
  invoke,
  type MachineOptions,
  newDirectory,
  openCounted,
  openMachine,
} from './serving-machine.ts';

const noon = Date.UTC(2026, 0, 5, 12);
const tickMs = 60_000;

/** One machine whose requests are counted by a clock that stands until it is moved. */
async function openAt(directory: string, start: number, options: MachineOptions = {}) {
  let time = start;
  const machine = await openMachine(directory, { ...options, now: () => time });
  return {
    ...machine,
    directory,
    async pass(ms = tickMs) {
      time += ms;
      await machine.counters.flush();
    },
    ticks: (more: { readonly usersSince?: number } = {}) =>
      machine.telemetry.ticks({
        endpoint: 'e',
        from: noon,
        to: noon + 10 * tickMs,
        tickMs,
        measures: ['errors'],
        ...more,
      }),
  };
}

async function openServing(options: MachineOptions = {}, weights: Readonly<Record<string, number>> = { v1: 100 }) {
  const directory = newDirectory();
  const machine = await openAt(directory, noon, options);
  await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], weights);
  return machine;
}

const idOf = (answer: Answer): string => String(answer.headers['x-serin-request-id']);

describe('users at the gateway', () => {
  const stickyHeader = () => 'x-user';
  const as = (user: string, order: object = {}) => ({ headers: { 'x-user': user }, order });
  const counted = (assigned: number, atRisk: number, bad: number) => ({ assigned, bad: { errors: { atRisk, bad } } });

  test('are counted once, by the header; who says nothing is in the counts alone', async () => {
    const machine = await openServing({ stickyHeader });

    for (const user of ['ann', 'bob', 'ann']) await machine.invoke('e', as(user));
    await machine.invoke('e', as('bob', { status: 500 }));
    await machine.invoke('e', as('', { status: 500 }));
    await machine.invoke('e', { order: { status: 500 } });
    await machine.pass();

    expect(await machine.ticks({ usersSince: noon })).toEqual([
      { start: noon, counts: { v1: { requests: 6, bad: { errors: 3 } } }, users: { v1: counted(2, 2, 1) } },
    ]);
  });

  test('are not forgotten by a restart, nor counted a second time', async () => {
    const before = await openServing({ stickyHeader });
    await before.invoke('e', as('ann', { status: 500 }));
    await before.invoke('e', as('bob'));
    await before.pass();
    const first = await before.ticks({ usersSince: noon });
    await before.leave();

    const after = await openAt(before.directory, noon + tickMs, { stickyHeader });
    await after.pass();
    for (const user of ['ann', 'bob', 'eve']) await after.invoke('e', as(user, { status: 500 }));
    await after.pass();

    expect(first[0]?.users).toEqual({ v1: counted(2, 2, 1) });
    expect((await after.ticks({ usersSince: noon })).map(({ users }) => users)).toEqual([
      first[0]?.users,
      {}, // in which the model servers were taken back
      { v1: counted(1, 2, 2) },
    ]);
  });

  test('keep what they met when a growing weight moves them to the candidate', async () => {
    const machine = await openServing({ stickyHeader });
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    for (const [index, user] of users.entries()) {
      await machine.invoke('e', as(user, index < 20 ? { status: 500 } : {}));
    }
    await machine.pass();
    await machine.serving.change('e', { kind: 'weigh', weights: { v1: 50, v2: 50 } });
    for (const user of users) await machine.invoke('e', as(user, { status: 500 }));
    await machine.pass();

    const [, second] = await machine.ticks({ usersSince: noon });
    const { v1, v2 } = second?.users ?? {};

    expect(v2?.bad.errors?.atRisk).toBeGreaterThan(0);
    expect((v1?.bad.errors?.atRisk ?? 0) + (v2?.bad.errors?.atRisk ?? 0)).toBe(20);
    expect((v1?.bad.errors?.bad ?? 0) + (v2?.bad.errors?.bad ?? 0)).toBe(20);
    expect((v1?.assigned ?? 0) + (v2?.assigned ?? 0)).toBe(0);
  });

  test('leave no name behind, only a number', async () => {
    const machine = await openServing({ stickyHeader });
    await machine.invoke('e', as('ann@example.org'));
    await machine.pass();

    const database = new DatabaseSync(join(machine.directory, 'data', 'serin.sqlite'), { readOnly: true });
    const rows = database.prepare('SELECT users FROM gateway_users').all();
    database.close();

    expect(rows.map(({ users }) => (users instanceof Uint8Array ? users.length : users))).toEqual([8]);
  });
});

describe('segments at the gateway', () => {
  test('are the known values of a header, exactly', async () => {
    const machine = await openServing({ segment: () => ({ by: 'x-region', values: ['eu', 'us'] }) });
    const from = (region: string, order: object = {}) =>
      machine.invoke('e', { headers: { 'x-region': region }, order });

    await from('eu');
    await from('eu', { status: 500 });
    await from('us');
    for (const unknown of ['EU', 'asia', '', 'eu, us']) await from(unknown);
    await machine.invoke('e');
    await machine.pass();

    const [tick] = await machine.ticks();
    expect(tick?.counts.v1).toMatchObject({ requests: 8, bad: { errors: 1 } });
    expect(tick?.segments).toEqual({
      eu: { v1: { requests: 2, bad: { errors: 1 } } },
      us: { v1: { requests: 1, bad: { errors: 0 } } },
    });
  });

  test('keep their counts over a restart', async () => {
    const segment = () => ({ by: 'x-region', values: ['eu'] });
    const before = await openServing({ segment });
    await before.invoke('e', { headers: { 'x-region': 'eu' } });
    await before.pass();
    const first = await before.ticks();
    await before.leave();

    const after = await openAt(before.directory, noon + tickMs, { segment });

    expect(first[0]?.segments).toEqual({ eu: { v1: { requests: 1, bad: { errors: 0 } } } });
    expect((await after.ticks())[0]).toEqual(first[0]);
  });
});

describe('assignments at the gateway', () => {
  const remembers = () => ({});
  const answering = (prediction: unknown) => ({ order: { answer: { prediction } } });

  async function assigned(
    machine: Awaited<ReturnType<typeof openAt>>,
    answer: Answer,
  ): Promise<Assignment | undefined> {
    return machine.assignments.of([idOf(answer)]).get(idOf(answer));
  }

  test('say who answered a request, at which weight, and what', async () => {
    const machine = await openServing({ remembers, coin: () => 99 }, { v1: 70, v2: 30 });

    const answer = await machine.invoke('e', answering(0.25));
    const known = await assigned(machine, answer);
    await machine.pass();

    const expected = { endpoint: 'e', deployment: 'v1', weight: 70, at: noon, prediction: 0.25, errored: false };
    expect(known).toEqual({ requestId: idOf(answer), ...expected });
    expect(await assigned(machine, answer)).toEqual(known);
    expect(machine.assignments.between('e', noon, noon + 1)).toEqual([known]);
    expect(machine.assignments.finalUntil()).toBe(noon + tickMs);
  });

  test('are known before the answer is whole, and final only after it', async () => {
    const machine = await openServing({ remembers });
    const call = callTo(machine.port, { 'x-order': '{"first":"part","never":true}' });
    call.on('error', () => undefined);
    call.end('{}');
    const [head] = await once(call, 'response');
    const id = String(head.headers['x-serin-request-id']);
    await machine.invoke('e', answering('yes'));
    await machine.pass();

    expect(machine.assignments.of([id, 'unknown'])).toEqual(
      new Map([[id, { requestId: id, endpoint: 'e', deployment: 'v1', weight: 100, at: noon, errored: false }]]),
    );
    expect(machine.assignments.between('e', noon, noon + tickMs)).toEqual([]);
    expect(machine.assignments.finalUntil()).toBeLessThanOrEqual(noon);
    call.destroy();
    await expect.poll(() => machine.pass().then(machine.assignments.finalUntil), { interval: 5 }).toBeGreaterThan(noon);
    expect(machine.assignments.between('e', noon, noon + tickMs)).toHaveLength(2);
  });

  test('are in the order in which the requests were routed', async () => {
    const machine = await openServing({ remembers });
    const answers: Answer[] = [];
    for (let index = 0; index < 40; index++) {
      answers.push(await machine.invoke('e', answering(index)));
      if (index % 15 === 14) await machine.pass(1);
    }
    await machine.pass();

    const ids = machine.assignments.between('e', noon, noon + tickMs).map(({ requestId }) => requestId);

    expect(ids).toEqual(answers.map(idOf));
    expect(machine.assignments.between('e', noon + 1, noon + 2).map(({ prediction }) => prediction)).toEqual(
      Array.from({ length: 15 }, (_, index) => index + 15),
    );
  });

  test('come into no second that is final, though the clock is put back', async () => {
    const machine = await openServing({ remembers });
    await machine.invoke('e', answering(1));
    await machine.pass();
    const finalUntil = machine.assignments.finalUntil();
    await machine.pass(-30_000);

    const late = await machine.invoke('e', answering(2));
    await machine.pass(2 * tickMs);

    expect(finalUntil).toBe(noon + tickMs);
    expect((await assigned(machine, late))?.at).toBe(finalUntil);
    expect(machine.assignments.between('e', noon, finalUntil)).toHaveLength(1);
  });

  test('say that a request failed, and what had no prediction', async () => {
    const machine = await openServing({ remembers });

    const failed = await machine.invoke('e', { order: { status: 500, answer: { prediction: 1 } } });
    const refused = await machine.invoke('e', { order: { status: 422, answer: { prediction: 1 } } });
    const other = await machine.invoke('e', { order: { answer: 'no json' } });
    await giveUp(machine.port, { order: { waitMs: 5000 } });
    const all = async () => {
      await machine.pass();
      return machine.assignments.between('e', noon, noon + tickMs);
    };
    await expect.poll(all, { interval: 5 }).toHaveLength(4);

    const known = await all();
    expect(known.map(({ requestId, errored }) => [requestId, errored])).toEqual([
      [idOf(failed), true],
      [idOf(refused), false],
      [idOf(other), false],
      [expect.any(String), false],
    ]);
    expect(known.filter((assignment) => 'prediction' in assignment)).toEqual([]);
  });

  test('have the prediction of the mirror as well', async () => {
    const machine = await openServing({ remembers });
    const mirror = { deployment: 'v2', percent: 100 };
    await machine.serving.change('e', { kind: 'weigh', weights: { v1: 100 }, mirror });
    const both = (copy: object) => ({ order: { 1: { answer: { prediction: 'a' } }, 2: copy } });

    const good = await machine.invoke('e', both({ answer: { prediction: 'b' } }));
    const bad = await machine.invoke('e', both({ status: 500 }));
    await expect.poll(async () => (await assigned(machine, bad))?.mirror, { interval: 5 }).toBeDefined();
    await machine.pass();

    expect(await assigned(machine, good)).toMatchObject({
      prediction: 'a',
      mirror: { deployment: 'v2', prediction: 'b', failed: false },
    });
    expect(await assigned(machine, bad)).toMatchObject({ prediction: 'a', mirror: { deployment: 'v2', failed: true } });
  });

  test('survive a kill when a label refers to them, and are no evidence without the rest of their second', async () => {
    const before = await openServing({ remembers });
    const hanging = invoke(before.port, '/endpoints/e/invocations', { order: { never: true } }).catch(() => undefined);
    const answer = await before.invoke('e', answering(true));
    const label = { requestId: idOf(answer), time: noon, outcome: { wrong: true } } as const;
    const [first] = await before.telemetry.label([label]);
    const copy = newDirectory();
    cpSync(join(before.directory, 'data'), join(copy, 'data'), { recursive: true });

    const after = await openAt(copy, noon + tickMs, { remembers });
    const [again] = await after.telemetry.label([label]);
    await after.pass();

    expect([first, again]).toEqual(['recorded', 'duplicate']);
    expect(after.assignments.between('e', noon, noon + tickMs)).toHaveLength(1);
    expect(after.assignments.evidence('e', noon, noon + tickMs)).toEqual([]);
    await before.stop();
    await hanging;
  });

  test('survive a restart of the server', async () => {
    const before = await openServing({ remembers });
    const answer = await before.invoke('e', answering(true));
    const known = await assigned(before, answer);
    await before.pass();
    await before.leave();

    const after = await openAt(before.directory, noon + tickMs, { remembers });

    expect(known).toMatchObject({ prediction: true });
    expect(await assigned(after, answer)).toEqual(known);
  });

  test('are kept for no other endpoint', async () => {
    const machine = await openServing();

    const answer = await machine.invoke('e', answering(1));
    await machine.pass();

    expect(await assigned(machine, answer)).toBeUndefined();
    expect(machine.assignments.between('e', 0, noon + tickMs)).toEqual([]);
  });
});

describe('a planned restart in the middle of a canary', () => {
  const remembers = () => ({});
  const stickyHeader = () => 'x-user';

  /** Two deployments of which one takes longer to load, at even weights, over a restart in which both ended. */
  async function restarted(slow: number) {
    const directory = newDirectory();
    const mayLoad = join(directory, 'may-load');
    const load = () => writeFileSync(mayLoad, '');
    const deployments = [1, 2].map((version) =>
      deploymentOf(directory, version, 'ok', version === slow ? { environment: { WAIT_FOR: mayLoad } } : {}),
    );
    load();
    const before = await openAt(directory, noon);
    await before.serve('e', deployments, { v1: 50, v2: 50 });
    await before.stop();
    rmSync(mayLoad);
    let tosses = 0;
    const machine = await openAt(directory, noon, { remembers, stickyHeader, coin: () => (tosses++ % 2) * 99 });
    const ask = (count: number, order: object = {}) =>
      Promise.all(Array.from({ length: count }, () => machine.invoke('e', { order })));
    return { machine, ask, load };
  }

  test.each([1, 2])(
    'is no evidence against v%d, which comes back later than the other',
    { timeout: 60_000 },
    async (slow) => {
      const { machine, ask, load } = await restarted(slow);
      await machine.ready('e', `v${3 - slow}`);

      const meanwhile = await ask(10);
      load();
      await machine.ready('e', `v${slow}`);
      const inTheSameTick = await ask(10);
      await machine.pass();
      await ask(10);
      await machine.pass();
      await ask(10, { 2: { status: 500 } });
      await machine.pass();

      expect(meanwhile.filter(({ status }) => status === 503)).toHaveLength(5);
      expect(inTheSameTick.filter(({ status }) => status === 200)).toHaveLength(10);
      const counted = (errors: number) => ({
        v1: { requests: 5, bad: { errors: 0 } },
        v2: { requests: 5, bad: { errors } },
      });
      const ticks = await machine.ticks();
      expect(ticks.map(({ counts }) => counts)).toEqual([{}, counted(0), counted(5)]);
      expect(ticks.map(({ unserved }) => unserved)).toEqual([true, undefined, undefined]);
    },
  );

  test('spoils no user, and no label', async () => {
    const { machine, load } = await restarted(2);
    await machine.ready('e', 'v1');
    const users = Array.from({ length: 20 }, (_, index) => ({ headers: { 'x-user': `user-${index}` } }));
    const first = await Promise.all(users.map((user) => machine.invoke('e', user)));
    load();
    await machine.ready('e', 'v2');
    await machine.pass();
    for (const user of users) await machine.invoke('e', user);
    await machine.pass();

    const [, second] = await machine.ticks({ usersSince: noon });

    expect(new Set(first.map(({ status }) => status))).toEqual(new Set([200, 503]));
    const { v1, v2 } = second?.users ?? {};
    expect((v1?.bad.errors?.atRisk ?? 0) + (v2?.bad.errors?.atRisk ?? 0)).toBe(20);
    expect(machine.assignments.between('e', noon, noon + tickMs)).toHaveLength(20);
    expect(machine.assignments.evidence('e', noon, noon + 2 * tickMs)).toHaveLength(20);
  });

  test('ends as well when a deployment does not come back: from then on its failures count', async () => {
    const directory = newDirectory();
    const before = await openAt(directory, noon);
    const mayStart = join(directory, 'may-start');
    writeFileSync(mayStart, '');
    const broken = deploymentOf(directory, 2, 'ok', { environment: { ONLY_IF: mayStart } });
    await before.serve('e', [deploymentOf(directory, 1), broken], { v1: 50, v2: 50 });
    await before.stop();
    rmSync(mayStart);

    const machine = await openAt(directory, noon, { coin: () => 0 });
    const status = async () => {
      const seen = await machine.serving.observe('e');
      return seen === 'absent' ? seen : seen.deployments.find(({ name }) => name === 'v2')?.status;
    };
    await expect.poll(status, { interval: 10, timeout: 10_000 }).toBe('failed');
    await machine.pass();
    await machine.invoke('e');
    await machine.pass();

    expect((await machine.ticks()).at(-1)?.counts).toEqual({ v2: { requests: 1, bad: { errors: 1 } } });
  });

  test('does not wait for a deployment that was never ready: the evidence of the champion counts', async () => {
    const directory = newDirectory();
    const before = await openAt(directory, noon);
    await before.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    const loading = deploymentOf(directory, 2, 'ok', { environment: { WAIT_FOR: join(directory, 'never') } });
    await before.serving.change('e', { kind: 'deploy', deployment: loading });
    await before.stop();

    const machine = await openAt(directory, noon);
    await machine.ready('e', 'v1');
    await machine.pass();
    await machine.invoke('e');
    await machine.pass();

    expect((await machine.ticks()).at(-1)?.counts).toEqual({ v1: { requests: 1, bad: { errors: 0 } } });
  });

  test('leaves nothing open when the server is killed before it ended: the next start says what counts', async () => {
    const { database, close } = openDatabase(join(newDirectory(), 'data'));
    let time = noon;
    openCounted(database, () => time).counters.returning('e');
    time += tickMs;

    const { counters } = openCounted(database, () => time);
    time += tickMs;
    await counters.flush();

    const since = (time - tickMs) / 1000;
    expect(counters.covered('e', since - 1, since)).toBe(false);
    expect(counters.covered('e', since, since + 1)).toBe(true);
    close();
  });
});

describe('an endpoint that is in the released config and was never deployed', () => {
  test('serves nothing yet, and is not absent', async () => {
    const machine = await openMachine(newDirectory(), { isPlanned: (endpoint) => endpoint === 'soon' });

    const planned = await machine.invoke('soon');
    const ping = await invoke(machine.port, '/endpoints/soon/ping', { method: 'GET', body: '' });
    const absent = await machine.invoke('never');

    expect([planned.status, ping.status, absent.status]).toEqual([503, 503, 404]);
    expect(planned.headers['retry-after']).toBe('1');
    expect(JSON.parse(planned.text).detail).toContain('nothing is served at soon');
  });
});
