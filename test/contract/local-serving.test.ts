import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { SecondRow } from '@serin/local/machine/counter-store';
import { openDatabase } from '@serin/local/machine/database';
import { digestOfDirectory } from '@serin/local/machine/jobs/digest';
import { bounds, bucketCount, bucketOf, quantile, slowerThan } from '@serin/local/machine/latency';
import { serverRecords } from '@serin/local/machine/server-records';
import { describe, expect, test } from 'vitest';
import { servingContract } from './serving.contract.ts';
import {
  type Answer,
  callTo,
  closers,
  counted,
  deploymentIn,
  deploymentOf,
  giveUp,
  gone,
  invoke,
  isThere,
  type Machine,
  newDirectory,
  openCounted,
  openMachine,
  pidOf,
  seeded,
  serveScript,
} from './serving-machine.ts';
import {
  type OpenMirrors,
  pairsContract,
  type RoutedRequest,
  segmentsContract,
  telemetryContract,
  usersContract,
} from './telemetry.contract.ts';

servingContract('localServing', async () => {
  const directory = newDirectory();
  const machine = await openMachine(directory);
  return {
    serving: machine.serving,
    good: (version) => deploymentOf(directory, version),
    broken: (version) => deploymentOf(directory, version, 'mute'),
    impossible: (version) => deploymentOf(directory, version, 'ok', { command: [] }),
    pause: () => sleep(10),
    close: machine.stop,
  };
});

async function openTelemetry(): Promise<OpenMirrors> {
  const { database, close } = openDatabase(join(newDirectory(), 'data'));
  let time = Date.UTC(2026, 0, 5, 12);
  const { counters, users, pairs, telemetry } = openCounted(database, () => time);
  const begin = ({ endpoint, deployment, user, segment }: RoutedRequest) => {
    const routed = counters.arm(endpoint, deployment).routed();
    const ofUser = user === undefined ? undefined : users.arm(endpoint, deployment).routed(routed.second, user);
    const ofSegment = segment === undefined ? undefined : counters.arm(endpoint, deployment, segment).routed();
    return ({ latencyMs, isError }: { latencyMs: number; isError: boolean }) => {
      const bad = isError ? ['errors'] : [];
      routed.ended(latencyMs, bad);
      ofUser?.(latencyMs, isError);
      ofSegment?.ended(latencyMs, bad);
    };
  };
  return {
    telemetry,
    now: () => time,
    async advance(ms) {
      time += ms;
      await counters.flush();
    },
    begin,
    request: ({ latencyMs, isError = false, ...where }) => begin(where)({ latencyMs, isError }),
    mirrored({ endpoint, mirror }) {
      const routed = counters.arm(endpoint, 'v1').routed();
      const pair = pairs.open(endpoint, mirror, routed.second);
      return {
        ended(served, copy) {
          routed.ended(served.latencyMs, served.outcome === 'failed' ? ['errors'] : []);
          pair.ended(served, copy === 'dropped' ? { outcome: 'dropped' } : copy);
        },
        abandoned() {
          routed.ended(1, []);
          pair.abandoned();
        },
      };
    },
    lagMs: 0,
    async close() {
      await counters.close();
      close();
    },
  };
}

telemetryContract('gatewayTelemetry', openTelemetry);
segmentsContract('gatewayTelemetry', openTelemetry);
usersContract('gatewayTelemetry', openTelemetry);
pairsContract('gatewayTelemetry', openTelemetry);

describe('the gateway', () => {
  test('splits requests by weight, each by its own coin', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { coin: seeded(7) });
    await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 90, v2: 10 });

    const agent = new Agent({ keepAlive: true });
    const picked = { v1: 0, v2: 0 };
    for (let batch = 0; batch < 100; batch++) {
      const names = await Promise.all(
        Array.from({ length: 20 }, async () => deploymentIn(await machine.invoke('e', { agent }))),
      );
      for (const name of names) if (name === 'v1' || name === 'v2') picked[name] += 1;
    }
    agent.destroy();

    // Four standard deviations of a binomial around 200 of 2,000.
    expect(picked.v1 + picked.v2).toBe(2000);
    expect(Math.abs(picked.v2 - 200)).toBeLessThan(4 * Math.sqrt(2000 * 0.1 * 0.9));
  });

  test('never sends a request to a deployment without weight', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 100, v2: 0 });

    const names = await Promise.all(Array.from({ length: 300 }, async () => deploymentIn(await machine.invoke('e'))));

    expect(new Set(names)).toEqual(new Set(['v1']));
  });

  test('keeps a sticky caller on the candidate while its weight grows', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { stickyHeader: () => 'x-user' });
    await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 100 });
    const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);
    const candidates = async (share: number) => {
      await machine.serving.change('e', { kind: 'weigh', weights: { v1: 100 - share, v2: share } });
      const names = await Promise.all(
        users.map(async (user) => deploymentIn(await machine.invoke('e', { headers: { 'x-user': user } }))),
      );
      return new Set(users.filter((_, index) => names[index] === 'v2'));
    };

    const few = await candidates(10);
    const again = await candidates(10);
    const many = await candidates(50);
    const most = await candidates(80);

    expect(few.size).toBeGreaterThan(5);
    expect(few.size).toBeLessThan(40);
    expect(again).toEqual(few);
    expect(many.size).toBeGreaterThan(few.size);
    expect([...few].every((user) => many.has(user))).toBe(true);
    expect([...many].every((user) => most.has(user))).toBe(true);
  });

  test('passes body, content type and query through, and nothing that is for this server alone', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    const answer = await invoke(machine.port, '/endpoints/e/invocations?explain=1', {
      body: 'a,b\n1,2\n',
      headers: {
        'content-type': 'text/csv',
        authorization: 'Bearer secret',
        cookie: 'session=1',
        connection: 'x-hop',
        'x-hop': 'only here',
      },
    });

    const { url, headers, text } = JSON.parse(answer.text);
    expect(answer.status).toBe(200);
    expect([url, text, headers['content-type']]).toEqual(['/invocations?explain=1', 'a,b\n1,2\n', 'text/csv']);
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
    expect(headers).not.toHaveProperty('x-hop');
    expect(answer.headers).toMatchObject({ 'x-serin-deployment': 'v1', 'x-of-model': 'yes' });
    expect(answer.headers['x-serin-request-id']).toBe(headers['x-serin-request-id']);
  });

  test('passes the parts of an answer on as they come', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    const call = callTo(machine.port, { 'x-order': '{"never":true,"first":"part"}' });
    call.on('error', () => undefined);
    call.end('{}');

    const [answer] = await once(call, 'response');
    const [part] = await once(answer, 'data');
    call.destroy();

    expect(String(part)).toBe('part');
  });

  test('answers the form of Vertex AI', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    const answer = await invoke(machine.port, '/v1/projects/p/locations/l/endpoints/e:predict', {
      body: '{"instances":[1]}',
    });

    expect(JSON.parse(answer.text)).toMatchObject({ url: '/invocations', text: '{"instances":[1]}' });
  });

  test('leaves all other requests alone', async () => {
    const machine = await openMachine(newDirectory());

    expect((await invoke(machine.port, '/v1/models', { method: 'GET', body: '' })).status).toBe(418);
    expect((await invoke(machine.port, '/endpoints/a/b/invocations')).status).toBe(418);
    expect((await invoke(machine.port, '/endpoints/%zz/invocations')).status).toBe(418);
  });

  test('tells an endpoint that is not there from one at which nothing is served', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1)], {});

    const absent = await machine.invoke('nothing');
    const unserved = await machine.invoke('e');

    expect(absent.status).toBe(404);
    expect(absent.headers['content-type']).toBe('application/problem+json');
    expect(unserved.status).toBe(503);
    expect(unserved.headers['retry-after']).toBe('1');
    expect(JSON.parse(unserved.text)).toMatchObject({ status: 503, requestId: unserved.headers['x-serin-request-id'] });
    expect((await invoke(machine.port, '/endpoints/e/ping', { method: 'GET', body: '' })).status).toBe(503);
    await machine.serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
    expect((await invoke(machine.port, '/endpoints/e/ping', { method: 'GET', body: '' })).status).toBe(200);
  });

  test('refuses a body that is too large, whether its length is declared or not', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { maxBodyBytes: 100_000 });
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    const large = Buffer.alloc(2_000_000);
    const declared = await machine.invoke('e', { body: large });
    const chunked = await machine.invoke('e', { body: large, headers: { 'transfer-encoding': 'chunked' } });
    const allowed = await machine.invoke('e', { body: Buffer.alloc(100_000) });

    expect([declared.status, chunked.status, allowed.status]).toEqual([413, 413, 200]);
    expect(JSON.parse(allowed.text)).toMatchObject({ bytes: 100_000 });
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 2, errors: 0 });
  });

  test('counts answers of 500, broken connections and the timeout as errors, and what is the caller’s as none', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { timeoutMs: 400 });
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    const ofModel = [
      await machine.invoke('e', { order: { status: 500 } }),
      await machine.invoke('e', { order: { status: 503 } }),
      await machine.invoke('e', { order: { never: true } }),
    ];
    const cut = machine.invoke('e', { order: { cut: true } });
    await expect(cut).rejects.toThrow();
    const ofCaller = [await machine.invoke('e', { order: { status: 400 } }), await machine.invoke('e')];
    await giveUp(machine.port, { order: { waitMs: 100 } });
    await slowBody(machine.port);

    expect(ofModel.map(({ status }) => status)).toEqual([500, 503, 504]);
    expect(ofCaller.map(({ status }) => status)).toEqual([400, 200]);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 8, errors: 4 });
  });

  test('passes an answer on for as long as it comes, and cuts it off when it falls silent', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { timeoutMs: 600 });
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    const whole = await machine.invoke('e', { order: { drip: 15 } });
    const silent = machine.invoke('e', { order: { drip: 3, never: true } });

    await expect(silent).rejects.toThrow();
    expect([whole.status, whole.text]).toEqual([200, 'part '.repeat(15)]);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 2, errors: 1 });
  });

  test('lets the second of an answer that goes on and on be final when it has lasted as long as a silence may', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { timeoutMs: 300 });
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    let isOver = false;
    const streaming = machine.invoke('e', { order: { drip: 40 } }).finally(() => {
      isOver = true;
    });
    const sums = await counted(machine, 'e', 'v1');

    expect([sums, isOver]).toEqual([{ requests: 1, errors: 0 }, false]);
    expect((await streaming).text).toHaveLength('part '.length * 40);
  });

  test('waits for a body for as long as it comes', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { timeoutMs: 600 });
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    const socket = connect(machine.port, '127.0.0.1');
    socket.write('POST /endpoints/e/invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n');

    for (let part = 0; part < 10; part += 1) {
      await sleep(100);
      socket.write('x');
    }
    const [answer] = await once(socket, 'data');
    socket.destroy();

    expect(String(answer)).toContain('HTTP/1.1 200');
  });

  test('waits for as long as the endpoint is told to', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { timeoutMs: 200, silenceMs: () => 5000 });
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    const answer = await machine.invoke('e', { order: { waitMs: 600 } });

    expect(answer.status).toBe(200);
  });

  test.each([
    ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n', 502],
    ['has a status that there is not', 'HTTP/1.1 999 unknown\r\ncontent-length: 0\r\n\r\n', 502],
    ['has a body with a status that has none', 'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n{}', 204],
    [
      'is of a kind that only a proxy may send',
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}',
      200,
    ],
  ])('answers at once when the answer of a model %s', async (_, raw, status) => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });

    const answer = await machine.invoke('e', { order: { raw } });

    expect(answer.status).toBe(status);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 1, errors: status === 502 ? 1 : 0 });
  });

  test('counts what a deployment that is down does not answer as its errors, and sends nothing elsewhere', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v2: 100 });

    const pid = pidOf(await machine.invoke('e'));
    const crash = await machine.invoke('e', { order: { exit: true } });
    const whileDown = await machine.invoke('e');

    expect(crash.status).toBe(502);
    expect([502, 503]).toContain(whileDown.status);
    expect(deploymentIn(whileDown)).toBe('v2');
    await gone(pid);
    await machine.ready('e', 'v2');
    expect((await machine.invoke('e')).status).toBe(200);
    expect(await counted(machine, 'e', 'v2')).toEqual({ requests: 4, errors: 2 });
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 0, errors: 0 });
  });

  test('loses no request while weights change under load and the old deployment is retired', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 100 });
    const agent = new Agent({ keepAlive: true });
    const answers: Answer[] = [];
    let isOver = false;
    const callers = Array.from({ length: 16 }, async () => {
      while (!isOver) answers.push(await machine.invoke('e', { agent, order: { waitMs: 5 } }));
    });

    for (const share of [10, 50, 90, 100]) {
      await machine.serving.change('e', { kind: 'weigh', weights: { v1: 100 - share, v2: share } });
      const soFar = answers.length;
      while (answers.length < soFar + 100) await sleep(5);
    }
    await machine.serving.change('e', { kind: 'retire', deployment: 'v1' });
    for (let seen = await machine.serving.observe('e'); seen !== 'absent' && seen.busy; ) {
      await sleep(10);
      seen = await machine.serving.observe('e');
    }
    const soFar = answers.length;
    while (answers.length < soFar + 50) await sleep(5);
    isOver = true;
    await Promise.all(callers);
    agent.destroy();

    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(answers.slice(soFar).map(deploymentIn))).toEqual(new Set(['v2']));
    const counts = await Promise.all(['v1', 'v2'].map((name) => counted(machine, 'e', name)));
    expect(counts.reduce((sum, { requests }) => sum + requests, 0)).toBe(answers.length);
  });
});

describe('the counters of the gateway', () => {
  const noon = Date.UTC(2026, 0, 5, 12);
  const minute = 60_000;
  const query = {
    endpoint: 'e',
    from: noon,
    to: noon + 3 * minute,
    tickMs: minute,
    measures: ['errors', 'slower than 10 ms'],
  };

  /** Counters on one directory that are opened again and again at a time that the test sets. */
  function openCounters(directory: string) {
    const { database, close } = openDatabase(join(directory, 'data'));
    let time = noon;
    const { counters, telemetry } = openCounted(database, () => time);
    const at = (ms: number) => {
      time = ms;
    };
    return { counters, telemetry, at, close };
  }

  test('a tick has equal numbers after a restart, and one that was interrupted is empty for both deployments and unserved', async () => {
    const directory = newDirectory();
    const before = openCounters(directory);
    for (const [offset, name] of [
      [1, 'v1'],
      [2, 'v2'],
      [61, 'v1'],
      [62, 'v2'],
    ] as const) {
      before.at(noon + offset * 1000);
      before.counters.arm('e', name).routed().ended(20, []);
    }
    before.at(noon + 90_000);
    const first = await before.telemetry.ticks(query);
    before.close();

    const after = openCounters(directory);
    after.at(noon + 100_000);
    after.counters.arm('e', 'v1').routed().ended(5, ['errors']);
    after.at(noon + 3 * minute);
    const ticks = await after.telemetry.ticks(query);
    after.close();

    const counts = { requests: 1, bad: { errors: 0, 'slower than 10 ms': 1 } };
    expect(first).toEqual([{ start: noon, counts: { v1: counts, v2: counts } }]);
    expect(ticks[0]).toEqual(first[0]);
    expect(ticks.slice(1)).toEqual([
      { start: noon + minute, counts: {}, unserved: true },
      { start: noon + 2 * minute, counts: {} },
    ]);
  });

  test('a request that had no outcome when the server was killed takes its tick out of the evidence', async () => {
    const directory = newDirectory();
    const before = openCounters(directory);
    before.counters.arm('e', 'v1').routed().ended(20, []);
    before.at(noon + 10_000);
    before.counters.arm('e', 'v1').routed();
    before.at(noon + 2 * minute);
    await before.counters.flush();
    before.close();

    const after = openCounters(directory);
    after.at(noon + 3 * minute);
    const [tick] = await after.telemetry.ticks(query);
    after.close();

    expect(tick).toEqual({ start: noon, counts: {}, unserved: true });
  });

  test('a clock that is put back changes no closed tick', async () => {
    const machine = openCounters(newDirectory());
    machine.counters.arm('e', 'v1').routed().ended(20, []);
    machine.at(noon + minute);
    const first = await machine.telemetry.ticks(query);

    machine.at(noon + 1000);
    machine.counters.arm('e', 'v1').routed().ended(20, ['errors']);
    machine.at(noon + 2 * minute);
    const second = await machine.telemetry.ticks(query);
    machine.close();

    expect(first).toHaveLength(1);
    expect(second).toHaveLength(2);
    expect(second[0]).toEqual(first[0]);
  });

  test('what could not be written is written with the next flush', async () => {
    const directory = newDirectory();
    const machine = openCounters(directory);
    machine.counters.arm('e', 'v1').routed().ended(20, []);
    machine.at(noon + minute);
    const blocker = new DatabaseSync(join(directory, 'data', 'serin.sqlite'));
    blocker.exec('BEGIN IMMEDIATE');

    await expect(machine.telemetry.ticks(query)).rejects.toMatchObject({ code: 'unavailable' });
    blocker.exec('ROLLBACK');
    blocker.close();

    const [tick] = await machine.telemetry.ticks(query);
    machine.close();
    expect(tick?.counts.v1).toMatchObject({ requests: 1 });
  });

  test('ticks that are no whole seconds, or too many, are invalid', async () => {
    const machine = openCounters(newDirectory());

    await expect(machine.telemetry.ticks({ ...query, tickMs: 1500 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(machine.telemetry.ticks({ ...query, from: 0 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(machine.telemetry.ticks({ ...query, to: Number.NaN })).rejects.toMatchObject({ code: 'invalid' });
    machine.close();
  });

  test('a latency is known to 5 %, and a threshold that is a percentile is not rounded', () => {
    for (let ms = 0.1; ms < 60_000; ms *= 1.013) {
      const bound = bounds[bucketOf(ms)] ?? 0;
      expect(bound).toBeGreaterThanOrEqual(ms);
      expect(bound).toBeLessThanOrEqual(ms * 1.05 * (1 + 1e-9));
      const histogram = new Uint32Array(bucketCount);
      histogram[bucketOf(ms)] = 3;
      histogram[bucketOf(ms) + 1] = 1;
      expect(slowerThan(histogram, quantile(histogram, 0.75))).toBe(1);
    }
  });
});

/** A caller that announces a body and never sends it; resolves when the gateway ends the connection or answers. */
async function slowBody(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /endpoints/e/invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain('HTTP/1.1 408');
  socket.destroy();
}

describe('what is said of a model server', () => {
  const seenOf = async (machine: Machine, name: string) => {
    const seen = await machine.serving.observe('e');
    return seen === 'absent' ? undefined : seen.deployments.find((deployment) => deployment.name === name);
  };

  test.each([
    [
      'listens elsewhere',
      { ELSEWHERE: '0' },
      /^it does not answer on port \d+ \(PORT, SAGEMAKER_BIND_TO_PORT\): it listens on port \d+$/,
    ],
    [
      'listens nowhere yet',
      { SLOW: '60000' },
      /^it does not answer on port \d+ \(PORT, SAGEMAKER_BIND_TO_PORT\): it listens on no port$/,
    ],
    ['never says that it is ready', { MODE: 'mute' }, /: its GET \/ping has not answered 200 yet$/],
  ])('one that %s is spoken of before its time is over', async (_, environment, reason) => {
    const machine = await openMachine(newDirectory());
    const deployment = deploymentOf(newDirectory(), 1, 'ok', { environment });

    await machine.serving.change('e', { kind: 'deploy', deployment });

    const said = async () => (await seenOf(machine, 'v1'))?.reason ?? '';
    await expect.poll(said, { interval: 20, timeout: 10_000 }).toMatch(reason);
    expect((await seenOf(machine, 'v1'))?.status).toBe('pending');
  });

  test('one that other machines can reach is warned about, and by default none can be', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    const open = deploymentOf(directory, 2, 'ok', { environment: { ON: '0.0.0.0' } });

    await machine.serve('e', [deploymentOf(directory, 1), open], { v1: 100 });

    expect(machine.warnings).toEqual([
      expect.stringMatching(/^v2 of e: it listens on port \d+ for other machines as well/),
    ]);
  });

  test('one that hangs is ended, started again, and warned about', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { timeoutMs: 500 });
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    const pid = pidOf(await machine.invoke('e'));

    const hanging = await machine.invoke('e', { order: { hang: true } });

    expect(hanging.status).toBe(504);
    await gone(pid);
    await expect.poll(async () => (await machine.invoke('e')).status, { interval: 50, timeout: 10_000 }).toBe(200);
    expect(machine.warnings).toEqual([expect.stringMatching(/answered neither GET \/ping nor a request/)]);
  });

  test('one that is at work and answers no ping meanwhile is left alone', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { silenceMs: () => 4000 });
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    const pid = pidOf(await machine.invoke('e'));

    const answers = await Promise.all([1, 2].map(() => machine.invoke('e', { order: { busyMs: 1500 } })));

    expect(answers.map(pidOf)).toEqual([pid, pid]);
    expect(machine.warnings).toEqual([]);
  });
});

describe('the supervisor of model servers', () => {
  test('gives a model server the serving contracts and nothing of the environment of this server', async () => {
    const directory = newDirectory();
    process.env.SERIN_TEST_SECRET = 'canary';
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 3)], { v3: 100 });

    const { environment } = JSON.parse((await machine.invoke('e', { order: { environment: true } })).text);
    delete process.env.SERIN_TEST_SECRET;

    expect(JSON.stringify(environment)).not.toContain('canary');
    expect(environment).toMatchObject({
      PATH: '/usr/bin:/bin',
      SM_MODEL_DIR: join(directory, 'model'),
      AIP_HTTP_PORT: environment.SAGEMAKER_BIND_TO_PORT,
      AIP_HEALTH_ROUTE: '/ping',
      AIP_PREDICT_ROUTE: '/invocations',
      AIP_STORAGE_URI: pathToFileURL(join(directory, 'model')).href,
      AZUREML_MODEL_DIR: join(directory, 'model'),
      SERIN_MODEL_VERSION: '3',
      MODE: 'ok',
    });
  });

  test.each([
    ['changed', (model: string) => writeFileSync(join(model, 'model.json'), '{"slope":9.99}')],
    ['taken out', (model: string) => rmSync(join(model, 'model.json'))],
    ['added', (model: string) => writeFileSync(join(model, 'more.json'), '{}')],
  ])('never serves a model of which a file was %s after it was registered', async (_, change) => {
    const directory = newDirectory();
    const model = join(directory, 'model');
    writeFileSync(join(model, 'model.json'), '{"slope":1.99}');
    const { digest, bytes } = await digestOfDirectory(model);
    const artifact = { uri: pathToFileURL(model).href, digest, bytes };
    const champion = deploymentOf(directory, 1, 'ok', { artifact });
    const before = await openMachine(directory);
    await before.serve('e', [champion], { v1: 100 });
    const served = await before.invoke('e');
    await before.stop();
    change(model);

    const machine = await openMachine(directory);
    await machine.serving.change('e', { kind: 'deploy', deployment: { ...champion, name: 'again', version: 2 } });

    const found = (await digestOfDirectory(model)).digest;
    const refused = { status: 'failed', reason: expect.stringContaining(`has the digest ${found}, not ${digest}`) };
    await expect
      .poll(() => machine.serving.observe('e'), { interval: 10, timeout: 10_000 })
      .toMatchObject({
        deployments: [
          { name: 'v1', ...refused },
          { name: 'again', ...refused },
        ],
      });
    expect([served.status, (await machine.invoke('e')).status]).toEqual([200, 503]);
  });

  test('serves a champion again by itself once its model is what it was', async () => {
    const directory = newDirectory();
    const before = await openMachine(directory);
    await before.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    await before.stop();
    writeFileSync(join(directory, 'model', 'more.json'), '{}');
    const machine = await openMachine(directory);
    await expect.poll(async () => (await machine.invoke('e')).status, { interval: 10 }).toBe(503);

    rmSync(join(directory, 'model', 'more.json'));

    await expect.poll(async () => (await machine.invoke('e')).status, { interval: 10, timeout: 10_000 }).toBe(200);
  });

  test('stages the code of a champion again when the staged copy is damaged', async () => {
    const directory = newDirectory();
    const before = await openMachine(directory);
    await before.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    await before.stop();
    const staged = readdirSync(join(directory, 'servers'), { recursive: true, encoding: 'utf8' });
    const script = staged.find((path) => path.endsWith('code/serve.mjs')) ?? '';
    writeFileSync(join(directory, 'servers', script), '');

    const machine = await openMachine(directory);

    await expect.poll(async () => (await machine.invoke('e')).status, { interval: 10, timeout: 10_000 }).toBe(200);
  });

  test('fails a deployment that crashes again and again, with the end of its log', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serving.change('e', { kind: 'deploy', deployment: deploymentOf(directory, 1, 'crash') });

    for (;;) {
      const seen = await machine.serving.observe('e');
      if (seen === 'absent' || seen.deployments[0]?.status !== 'failed') {
        await sleep(10);
        continue;
      }
      expect(seen.deployments[0].reason).toContain('exit code 3');
      expect(seen.deployments[0].reason).toContain('no model for me');
      return;
    }
  });

  test('fails a deployment that does not answer /ping within its time, and ends its process', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    const begun = performance.now();
    await machine.serving.change('e', { kind: 'deploy', deployment: deploymentOf(directory, 1, 'mute') });

    await expect
      .poll(() => machine.serving.observe('e'), { interval: 10, timeout: 10_000 })
      .toMatchObject({
        deployments: [
          { status: 'failed', reason: expect.stringContaining('GET /ping did not answer 200 within 300 ms') },
        ],
      });
    expect(performance.now() - begun).toBeGreaterThan(299);
  });

  test('fails a deployment whose command does not exist at once', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    const deployment = deploymentOf(directory, 1, 'ok', { command: ['no-such-program-here'] });
    await machine.serving.change('e', { kind: 'deploy', deployment });

    await expect
      .poll(() => machine.serving.observe('e'))
      .toMatchObject({
        deployments: [{ status: 'failed', reason: expect.stringContaining('cannot start no-such-program-here') }],
      });
  });

  test('starts the number of instances that is asked for and sends requests to each', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1, 'ok', { instances: { min: 2, max: 4 } })], { v1: 100 });

    const pids = await Promise.all(Array.from({ length: 10 }, async () => pidOf(await machine.invoke('e'))));

    expect(new Set(pids).size).toBe(2);
  });

  test('a restart of the server takes the running model servers, the weights and the counts back', async () => {
    const directory = newDirectory();
    const before = await openMachine(directory);
    await before.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 100 });
    const pid = pidOf(await before.invoke('e'));
    const counts = await counted(before, 'e', 'v1');
    await before.leave();

    const after = await openMachine(directory);

    expect(pidOf(await after.invoke('e'))).toBe(pid);
    expect(await after.serving.observe('e')).toMatchObject({
      weights: { v1: 100 },
      deployments: [{ status: 'ready' }, { status: 'ready' }],
    });
    expect((await counted(after, 'e', 'v1')).requests).toBe(counts.requests + 1);
  });

  test('a model server that died while the server was down is started again', async () => {
    const directory = newDirectory();
    const before = await openMachine(directory);
    await before.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    const pid = pidOf(await before.invoke('e'));
    await before.leave();
    process.kill(pid, 'SIGKILL');

    const after = await openMachine(directory);
    await after.ready('e', 'v1');

    const answer = await after.invoke('e');
    expect(answer.status).toBe(200);
    expect(pidOf(answer)).not.toBe(pid);
  });

  test('weight goes back to a champion that is just being started again', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 100 });
    const pid = pidOf(await machine.invoke('e'));
    await machine.invoke('e', { order: { exit: true } });
    await gone(pid);
    await machine.serving.change('e', { kind: 'weigh', weights: { v2: 100 } });

    expect(await machine.serving.change('e', { kind: 'weigh', weights: { v1: 100 } })).toBe('accepted');

    await machine.ready('e', 'v1');
    expect((await machine.invoke('e')).status).toBe(200);
  });

  test.runIf(process.platform === 'linux')('ends a process that was started and never recorded', async () => {
    const directory = newDirectory();
    const before = openDatabase(join(directory, 'data'));
    const slot = { endpoint: 'e', deployment: 'v1', instance: 0 };
    serverRecords(before.database).put(slot, { mark: 'mark of this test', port: 1, wasReady: false });
    before.close();
    const environment = { SERIN_SERVER: 'mark of this test' };
    const lost = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
      detached: true,
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(lost, 'exit');
    await once(lost.stdout, 'data');

    await openMachine(directory);

    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  test('a retired deployment leaves no process, no files and no record behind', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory);
    await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
    const pid = pidOf(await machine.invoke('e'));
    await machine.serving.change('e', { kind: 'weigh', weights: {} });
    await machine.serving.change('e', { kind: 'retire', deployment: 'v1' });

    await expect
      .poll(() => machine.serving.observe('e'), { timeout: 10_000 })
      .toMatchObject({ deployments: [], busy: false });

    expect(isThere(pid)).toBe(false);
    expect(readdirSync(join(directory, 'servers'))).toEqual([]);
  });

  test('a drain waits for the requests that run, and not for ever', async () => {
    const directory = newDirectory();
    const machine = await openMachine(directory, { drainMs: 300 });
    await machine.serve('e', [deploymentOf(directory, 1), deploymentOf(directory, 2)], { v1: 100 });
    const short = machine.invoke('e', { order: { waitMs: 150 } });
    const endless = machine.invoke('e', { order: { never: true } });
    await Promise.race([short, sleep(50)]);

    await machine.serving.change('e', { kind: 'weigh', weights: { v2: 100 } });
    await machine.serving.change('e', { kind: 'retire', deployment: 'v1' });

    expect((await short).status).toBe(200);
    expect((await endless).status).toBe(502);
    await expect
      .poll(() => machine.serving.observe('e'), { timeout: 10_000 })
      .toMatchObject({ deployments: [{ name: 'v2' }], busy: false });
  });

  test('after kill -9 of the server its model servers serve on, and the second of the kill is no evidence', async () => {
    const directory = newDirectory();
    const child = await openMachineInChild(directory);
    const request = { headers: { 'x-user': 'u' }, order: { prediction: 'same' } };
    const before = await invoke(child.port, '/endpoints/e/invocations', request);
    const load = Array.from({ length: 4 }, async () => {
      for (;;) await invoke(child.port, '/endpoints/e/invocations', request);
    });
    const reader = new DatabaseSync(join(directory, 'data', 'serin.sqlite'), { readOnly: true });
    const written = reader.prepare('SELECT count(*) AS rows FROM gateway_counts');
    await expect.poll(() => written.get()?.rows, { timeout: 10_000, interval: 20 }).toBeGreaterThan(0);
    reader.close();
    const killedAt = Date.now();
    child.kill();
    await Promise.allSettled(load);

    const machine = await openMachine(directory);

    expect(pidOf(await machine.invoke('e'))).toBe(pidOf(before));
    const second = Math.floor(killedAt / 1000) * 1000;
    const what = { endpoint: 'e', from: second, to: second + 1000, tickMs: 1000, measures: ['errors'] };
    await expect
      .poll(() => machine.telemetry.ticks(what), { timeout: 10_000 })
      .toEqual([{ start: second, counts: {}, unserved: true }]);
    const kept = [...machine.counters.rows('e', 0, second / 1000)];
    expect(kept.length).toBeGreaterThan(0);
    for (const row of kept) expect(recordsOf(machine, row.second)).toEqual(recordsThatGoWith(machine, row));
  });
});

/** What was kept of one second beside its counts. */
function recordsOf({ assignments, counters, users, pairs }: Machine, second: number) {
  const remembered = assignments.between('e', second * 1000, (second + 1) * 1000);
  return {
    remembered: remembered.length,
    predicted: remembered.filter((it) => it.prediction === 'same').length,
    mirrored: remembered.filter((it) => it.mirror?.prediction === 'same').length,
    inSegment: [...counters.segmentRows('e', second, second + 1)].map(({ requests }) => requests),
    users: [...users.rows('e', second, second + 1)].map((row) => [...row.users].length),
    equalPairs: pairs.rows('e', second, second + 1).reduce((sum, { equal }) => sum + equal, 0),
  };
}

/** A second is kept whole or not at all: all that its requests left behind, if their count is there. */
function recordsThatGoWith({ pairs }: Machine, { second, requests }: SecondRow): ReturnType<typeof recordsOf> {
  const mirrored = pairs.rows('e', second, second + 1).reduce((sum, row) => sum + row.pairs, 0);
  return {
    remembered: requests,
    predicted: requests,
    mirrored,
    inSegment: [requests],
    users: [1],
    equalPairs: mirrored,
  };
}

/** The same machine as a process of its own that can be killed. */
async function openMachineInChild(directory: string): Promise<{ readonly port: number; kill(): void }> {
  const local = new URL('../../packages/local/src/', import.meta.url).href;
  const deployments = [deploymentOf(directory, 1), deploymentOf(directory, 2)];
  const script = `
    import { createServer } from 'node:http';
    import { writeFileSync } from 'node:fs';
    import { join } from 'node:path';
    import { requestListener } from '${local}http.ts';
    import { gatewayAssignments } from '${local}machine/assignments.ts';
    import { gatewayCounters } from '${local}machine/counters.ts';
    import { openDatabase } from '${local}machine/database.ts';
    import { gateway } from '${local}machine/gateway.ts';
    import { modelServers } from '${local}machine/model-servers.ts';
    import { gatewayPairs } from '${local}machine/pairs.ts';
    import { gatewayUsers } from '${local}machine/users.ts';
    import { localServing } from '${local}ports/serving.ts';
    const directory = ${JSON.stringify(directory)};
    const { database } = openDatabase(join(directory, 'data'));
    const counters = gatewayCounters({ database, now: Date.now });
    const pairs = gatewayPairs({ database, counters });
    const users = gatewayUsers({ database, counters });
    const assignments = gatewayAssignments({ database, counters });
    const stageCode = async (_, folder) => writeFileSync(join(folder, 'serve.mjs'), ${JSON.stringify(serveScript)});
    const holdsCode = async () => true;
    const servers = modelServers({ database, directory: join(directory, 'servers'), jobs: join(directory, 'jobs'), stageCode, holdsCode, inherited: {} });
    const serving = localServing({ database, servers, jobs: join(directory, 'jobs') });
    for (const deployment of ${JSON.stringify(deployments)}) await serving.change('e', { kind: 'deploy', deployment });
    const isReady = async () => (await serving.observe('e')).deployments.every(({ status }) => status === 'ready');
    while (!(await isReady())) await new Promise((go) => setTimeout(go, 10));
    const mirror = { deployment: 'v2', percent: 50 };
    await serving.change('e', { kind: 'weigh', weights: { v1: 100 }, mirror });
    const front = gateway({
      route: serving.route, pool: servers.pool, counters, pairs, users, assignments,
      stickyHeader: () => 'x-user', segment: () => ({ by: 'x-user', values: ['u'] }), remembers: () => ({}),
    });
    const api = { fetch: () => new Response(null, { status: 418 }) };
    const listener = requestListener({ api, gateway: front, newId: () => 'req_1', names: { isOwn: () => true, isNamed: () => false } });
    const server = createServer(listener).listen(0, '127.0.0.1', () => console.log(server.address().port));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closers.push(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { port: Number(line), kill: () => void child.kill('SIGKILL') };
}
