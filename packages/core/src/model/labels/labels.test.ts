import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../../../test/simulation/fakes/bucket.ts';
import { noProfiler } from '../../../../../test/simulation/fakes/profiler.ts';
import { atOnce } from '../../../../../test/simulation/fakes/sync.ts';
import { Fault } from '../../base/fault.ts';
import { encodeText } from '../../base/json.ts';
import { day, minute, second } from '../../base/time.ts';
import { parseConfig } from '../../config/config.ts';
import { perform } from '../../engine/perform.ts';
import { route, routesOf } from '../../inbound/route.ts';
import type { Bucket } from '../../ports/bucket.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Label, LabelAnswer } from '../../ports/telemetry.ts';
import { decideModel } from '../decide.ts';
import { type Driver, driver, human, planOf } from '../model.fixture.ts';
import { modelWakesAt } from '../owed.ts';
import type { Effect, ModelSignal } from '../protocol.ts';
import { readLabel } from './label.ts';
import { labelsTable } from './labels.ts';

const time = '2026-01-02T08:00:00Z';
const place = { bucket: 'outcomes', prefix: 'fraud/' };
const line = (requestId: string, more: object = { wrong: true }) => JSON.stringify({ requestId, time, ...more });
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${line(`r${from + index}`)}\n`).join('');

/** Labels that were told are known; requests that begin with `r` exist. */
function memoryLabels() {
  const known = new Set<string>();
  const answer = ({ requestId }: Label): LabelAnswer => {
    if (!requestId.startsWith('r')) return 'unknown';
    if (known.has(requestId)) return 'duplicate';
    known.add(requestId);
    return 'recorded';
  };
  return { known, label: async (labels: readonly Label[]) => labels.map(answer) };
}

/** A model whose orders about labels are carried out on buckets in memory; `state.labels` is what it knows. */
function world(changes: Parameters<typeof planOf>[0] = {}) {
  const drive = driver(planOf({ labels: place, ...changes }));
  const buckets = new Map(['serin', 'outcomes'].map((name) => [name, atOnce<Bucket>(memoryBucket())]));
  const telemetry = memoryLabels();
  const bucket = (name: string): Bucket => {
    const found = buckets.get(name);
    if (found === undefined) throw new Fault('notFound', `there is no bucket '${name}'`);
    return found;
  };
  // The orders about labels use these two ports alone.
  const ports = { bucket, labels: telemetry } as unknown as Ports;
  const carryOut = (effect: Effect) =>
    perform(effect, {
      ports,
      profiler: noProfiler,
      now: () => drive.now,
      stream: 'model/fraud',
      source: 'test',
      tell: () => Promise.reject(new Error('labels tell no stream')),
    }).catch((error: Fault) => ({ type: 'effectRefused', because: error.message }));
  const owed = () => [...drive.owed('findLabels'), ...drive.owed('importLabels')];
  return {
    drive,
    buckets,
    telemetry,
    carryOut,
    owed,
    put: (key: string, text: string) => bucket('outcomes').write(key, encodeText(text)),
    /** Files that cannot be read now, until the returned function is called. */
    silence(isBusy: (key: string) => boolean): () => void {
      const outcomes = bucket('outcomes');
      const busy = new Fault('unavailable', 'the store does not answer');
      const read: Bucket['read'] = (what) => (isBusy(what.key) ? Promise.reject(busy) : outcomes.read(what));
      buckets.set('outcomes', { ...outcomes, read });
      return () => buckets.set('outcomes', outcomes);
    },
    hint: (...keys: readonly string[]) => drive.say({ type: 'labelsHinted', keys }),
    /** Carries out what is owed until nothing is; answers how many orders that were. */
    async work(): Promise<number> {
      for (let orders = 0; ; orders += 1) {
        const [effect] = owed();
        if (effect === undefined) return orders;
        if (orders > 2000) throw new Error('it owes for ever');
        drive.answer(effect.kind, await carryOut(effect));
      }
    },
    get files() {
      return Object.values(drive.state.labels?.files ?? {});
    },
  };
}

/** A world that has looked through the empty prefix. */
async function quiet(changes: Parameters<typeof planOf>[0] = {}) {
  const opened = world(changes);
  await opened.work();
  return opened;
}

describe('a label', () => {
  test.each([
    [{ truth: 'cat' }, { truth: 'cat' }],
    [{ truth: 0 }, { truth: 0 }],
    [{ truth: false }, { truth: false }],
    [{ wrong: false }, { wrong: false }],
    [
      { wrong: true, mirror: false },
      { wrong: true, mirror: false },
    ],
    [{ loss: 0.25 }, { loss: 0.25 }],
  ])('says %j', (given, outcome) => {
    expect(readLabel({ requestId: 'r1', time, ...given })).toEqual({
      label: { requestId: 'r1', time: Date.parse(time), outcome },
    });
  });

  test.each([
    [{}, 'exactly one of truth, wrong and loss'],
    [{ truth: 1, wrong: true }, 'exactly one of truth, wrong and loss'],
    [{ truth: 1, mirror: true }, 'must be given together with wrong'],
    [{ loss: 1.5 }, 'from 0 to 1'],
    [{ loss: -0.5 }, 'from 0 to 1'],
    [{ loss: '0.5' }, 'a number'],
    [{ truth: null }, 'a text of 1,000 characters'],
    [{ wrong: true, time: 'yesterday' }, 'a time such as'],
    [{ wrong: true, time: '2026-02-30T08:00:00Z' }, 'a time such as'],
    [{ wrong: true, time: '2026-01-02T08:00:00' }, 'a time such as'],
    [{ wrong: true, requestId: 'two words' }, 'x-serin-request-id'],
    [{ wrong: true, more: 1 }, 'more'],
  ])('is refused when it is %j', (given, reason) => {
    const read = readLabel({ requestId: 'r1', time, ...given });

    expect(JSON.stringify(read)).toContain(reason);
    expect(read).not.toHaveProperty('label');
  });
});

describe('a file of labels', () => {
  test('is told when it is dropped; lines that are no label are reported, and the others hold', async () => {
    const opened = await quiet();
    const { drive, put, hint, work, telemetry } = opened;
    const bad = ['not json', line('two words'), line('r4', { loss: 2 }), '[]', line('r5', {})];
    await put('fraud/a.ndjson', `\uFEFF${line('r1')}\r\n\n${bad.join('\n')}\n${line('unknown')}\n${line('r2')}`);

    hint('fraud/a.ndjson');
    await work();

    expect([...telemetry.known]).toEqual(['r1', 'r2']);
    expect(opened.files).toMatchObject([
      {
        file: 'fraud/a.ndjson',
        at: drive.now,
        recorded: 2,
        duplicate: 0,
        conflict: 0,
        unknown: 1,
        late: 0,
        bad: 5,
        reasons: [
          'line 3: is not JSON',
          expect.stringContaining('line 4: requestId: '),
          expect.stringContaining('line 5: loss: '),
        ],
      },
    ]);
  });

  test('starts no run, and is no data', async () => {
    const { drive, put, hint, work } = await quiet();
    const before = drive.state.intake;
    await put('fraud/a.ndjson', line('r1'));

    hint('fraud/a.ndjson');
    await work();
    const routes = routesOf({ models: { fraud: drive.state.plan } });

    expect([drive.state.intake, drive.state.run]).toEqual([before, undefined]);
    expect(route(routes, { kind: 'object', bucket: 'outcomes', key: 'fraud/a.ndjson' })).toEqual([]);
    expect(route(routes, { kind: 'labels', bucket: 'outcomes', key: 'fraud/a.ndjson' })).toEqual(['fraud']);
  });

  test('is told once, however often it is hinted at or looked for; a new version of it is told again', async () => {
    const opened = await quiet();
    const { drive, put, hint, work, telemetry } = opened;
    await put('fraud/a.ndjson', line('r1'));
    hint('fraud/a.ndjson');
    await work();

    hint('fraud/a.ndjson', 'fraud/a.ndjson');
    await work();
    hint();
    await work();
    drive.wait(2 * day);
    await work();
    const once = opened.files;
    await put('fraud/a.ndjson', `${line('r1')}\n${line('r2')}`);
    hint('fraud/a.ndjson');
    await work();

    expect(once).toMatchObject([{ recorded: 1, duplicate: 0 }]);
    expect(opened.files).toMatchObject([{ recorded: 1 }, { recorded: 1, duplicate: 1 }]);
    expect([...telemetry.known]).toEqual(['r1', 'r2']);
  });

  test('is found by the daily look when its hint was lost', async () => {
    const opened = await quiet();
    await opened.put('fraud/a.ndjson', line('r1'));

    const wake = modelWakesAt(opened.drive.state);
    opened.drive.wait(day);
    await opened.work();

    expect(wake).toBeLessThanOrEqual(opened.drive.now);
    expect(opened.files).toMatchObject([{ file: 'fraud/a.ndjson', recorded: 1 }]);
  });

  test('hundreds of files that came unheard are each told once, and few of them are remembered at a time', async () => {
    const opened = await quiet();
    for (let index = 0; index < 250; index += 1)
      await opened.put(`fraud/${String(index).padStart(4, '0')}`, line(`r${index}`));
    let most = 0;

    opened.hint();
    for (let [effect] = opened.owed(); effect !== undefined; [effect] = opened.owed()) {
      most = Math.max(most, opened.drive.state.labels?.waiting.length ?? 0);
      opened.drive.answer(effect.kind, await opened.carryOut(effect));
    }
    opened.hint();
    const again = await opened.work();

    expect(opened.telemetry.known.size).toBe(250);
    expect(most).toBeLessThanOrEqual(100);
    expect(again).toBe(1);
    expect(opened.files.map(({ file }) => file)).toEqual(
      Array.from({ length: 50 }, (_, index) => `fraud/${String(200 + index).padStart(4, '0')}`),
    );
  });

  test('more hints than are remembered end in a look, and no file is missed', async () => {
    const opened = await quiet();
    const keys = Array.from({ length: 300 }, (_, index) => `fraud/${String(index).padStart(4, '0')}`);
    for (const key of keys) await opened.put(key, line(`r${key}`));

    for (const key of keys) opened.hint(key);
    const waiting = opened.drive.state.labels?.waiting.length;
    await opened.work();

    expect(waiting).toBe(100);
    expect(opened.telemetry.known.size).toBe(300);
  });

  test('a large one is told in parts, and a part whose answer was lost is told again', async () => {
    const opened = await quiet();
    await opened.put('fraud/big.ndjson', lines(0, 25_000));
    opened.hint('fraud/big.ndjson');
    const parts: Effect[] = [];

    for (let [effect] = opened.owed(); effect !== undefined; [effect] = opened.owed()) {
      parts.push(effect);
      // Each part is carried out twice: the first answer never came.
      await opened.carryOut(effect);
      opened.drive.wait(2 * minute);
      expect(opened.owed()).toEqual([effect]);
      opened.drive.answer(effect.kind, await opened.carryOut(effect));
    }

    expect(parts.map((effect) => (effect.kind === 'importLabels' ? effect.line : -1))).toEqual([0, 10_000, 20_000]);
    expect(new Set(parts.map(({ key }) => key)).size).toBe(3);
    expect(opened.telemetry.known.size).toBe(25_000);
    // The last part left its mark, so its lost answer is told as it was.
    expect(opened.files).toMatchObject([{ recorded: 5000, duplicate: 20_000, unknown: 0, bad: 0 }]);
  });

  test('that is replaced while it is read is told in its new version', async () => {
    const opened = await quiet();
    await opened.put('fraud/a.ndjson', lines(0, 15_000));
    opened.hint('fraud/a.ndjson');
    const [first] = opened.owed();
    if (first !== undefined) opened.drive.answer(first.kind, await opened.carryOut(first));

    await opened.put('fraud/a.ndjson', lines(10_000, 30_000));
    await opened.work();
    opened.drive.wait(minute);
    await opened.work();

    expect(opened.telemetry.known.size).toBe(30_000);
    expect(opened.files).toMatchObject([{ file: 'fraud/a.ndjson', recorded: 20_000 }]);
  });

  test('that is still being written holds up no other, and is told when it is whole', async () => {
    const opened = await quiet();
    const outcomes = opened.buckets.get('outcomes');
    if (outcomes === undefined) throw new Error('no bucket');
    const busy = new Fault('unavailable', 'it is being written');
    opened.buckets.set('outcomes', {
      ...outcomes,
      list: () => Promise.reject(busy),
      read: (what) => (what.key === 'fraud/a' ? Promise.reject(busy) : outcomes.read(what)),
    });
    await opened.put('fraud/a', line('r1'));
    await opened.put('fraud/b', line('r2'));

    opened.hint('fraud/a', 'fraud/b');
    await opened.work();
    opened.drive.wait(5 * second);
    await opened.work();
    const before = [...opened.telemetry.known];
    opened.buckets.set('outcomes', outcomes);
    opened.drive.wait(30 * second);
    await opened.work();

    expect(before).toEqual(['r2']);
    expect([...opened.telemetry.known]).toEqual(['r2', 'r1']);
  });

  test('whose labels are recorded is reported, also when the answer was lost and it could not be read next time', async () => {
    const opened = await quiet();
    await opened.put('fraud/a', line('r1'));
    opened.hint('fraud/a');
    const [lost] = opened.owed();
    if (lost !== undefined) await opened.carryOut(lost);

    const heal = opened.silence((key) => key === 'fraud/a');
    await opened.work();
    heal();
    opened.drive.wait(5 * second);
    await opened.work();

    expect(opened.files).toMatchObject([{ file: 'fraud/a', recorded: 1, duplicate: 0 }]);
  });

  test('is one of hundreds that cannot be read now: few of them are remembered at a time, and each is told later', async () => {
    const opened = await quiet();
    const keys = Array.from({ length: 350 }, (_, index) => `fraud/${String(index).padStart(4, '0')}`);
    for (const key of keys) await opened.put(key, line(`r${key}`));
    const heal = opened.silence(() => true);
    let most = 0;

    opened.hint(...keys.slice(0, 3));
    for (const key of keys.slice(100)) {
      opened.hint(key);
      const [effect] = opened.owed();
      if (effect !== undefined) opened.drive.answer(effect.kind, await opened.carryOut(effect));
      most = Math.max(most, opened.drive.state.labels?.busy?.length ?? 0);
    }
    for (let look = 0; look < 3; look += 1) {
      opened.drive.wait(10 * second);
      await opened.work();
      most = Math.max(most, opened.drive.state.labels?.busy?.length ?? 0);
    }
    opened.hint(...keys);
    const owed = opened.owed();
    heal();
    for (let look = 0; look < 2; look += 1) {
      opened.drive.wait(10 * second);
      await opened.work();
    }

    expect(most).toBeLessThanOrEqual(200);
    expect(owed).toEqual([]);
    expect(opened.telemetry.known.size).toBe(350);
  });

  test('that cannot be read is reported, tried again another day, and holds up no other', async () => {
    const opened = await quiet();
    const outcomes = opened.buckets.get('outcomes');
    if (outcomes === undefined) throw new Error('no bucket');
    const broken = (key: string) => key < 'fraud/0120';
    opened.buckets.set('outcomes', {
      ...outcomes,
      read: (what) => (broken(what.key) ? Promise.reject(new Fault('invalid', 'no access')) : outcomes.read(what)),
    });
    for (let index = 0; index < 150; index += 1)
      await opened.put(`fraud/${String(index).padStart(4, '0')}`, line(`r${index}`));

    opened.hint();
    await opened.work();
    const reported = opened.files.filter(({ because }) => because === 'no access').length;
    opened.buckets.set('outcomes', outcomes);
    opened.drive.wait(day);
    await opened.work();

    expect(reported).toBe(20);
    expect(opened.telemetry.known.size).toBe(150);
  });

  test('over 64 MB is reported and not read', async () => {
    const opened = await quiet();
    const outcomes = opened.buckets.get('outcomes');
    if (outcomes === undefined) throw new Error('no bucket');
    opened.buckets.set('outcomes', {
      ...outcomes,
      async read(what) {
        const object = await outcomes.read(what);
        return object && { ...object, truncated: true };
      },
    });
    await opened.put('fraud/a', line('r1'));

    opened.hint('fraud/a');
    await opened.work();

    expect(opened.files).toMatchObject([{ recorded: 0, bad: 1, reasons: ['larger than 64000000 bytes: split it'] }]);
  });

  test('a folder that was moved in whole is looked through', async () => {
    const opened = await quiet();
    await opened.put('fraud/march/a', line('r1'));

    opened.hint('fraud/march');
    await opened.work();
    opened.drive.wait(minute);
    await opened.work();

    expect(opened.files).toMatchObject([{ file: 'fraud/march/a', recorded: 1 }]);
  });

  test('the name of a file may be that of something every object has', async () => {
    const opened = await quiet({ labels: { bucket: 'outcomes', prefix: '_' } });
    await opened.put('__proto__', line('r1'));

    opened.hint('__proto__');
    await opened.work();

    expect(opened.files).toMatchObject([{ file: '__proto__', recorded: 1 }]);
  });
});

describe('files of labels and the config', () => {
  const release = (drive: Driver, revision: number, changes: Parameters<typeof planOf>[0]) =>
    drive.say({ type: 'configReleased', revision, plan: planOf(changes) });

  test('a model without labels takes no hints and owes nothing', () => {
    const drive = driver(planOf());

    expect(drive.say({ type: 'labelsHinted', keys: ['fraud/a'] })).toContain('no labels are taken');
    expect(drive.state.labels).toBeUndefined();
    expect(drive.owed('findLabels')).toEqual([]);
  });

  test('a place that is released later, or moved, is looked through at once; one that is taken away is forgotten', async () => {
    const opened = await quiet();
    release(opened.drive, 2, { labels: place, serve: 'none' });
    const same = opened.owed();

    release(opened.drive, 3, { labels: { bucket: 'outcomes', prefix: 'other/' } });
    const [moved] = opened.owed();
    await opened.work();
    release(opened.drive, 4, {});
    const without = opened.drive.state.labels;
    release(opened.drive, 5, { labels: place });

    expect(same).toEqual([]);
    expect(moved).toMatchObject({ kind: 'findLabels', prefix: 'other/' });
    expect(without).toBeUndefined();
    expect(opened.owed()).toMatchObject([{ kind: 'findLabels', prefix: 'fraud/' }]);
  });

  test('a model that left the config reads no more of them, and goes on when it comes back', async () => {
    const opened = await quiet();
    await opened.put('fraud/a', line('r1'));
    opened.hint('fraud/a');

    opened.drive.say({ type: 'configReleased', revision: 2 });
    const retired = [opened.owed(), opened.hint('fraud/b')];
    release(opened.drive, 3, { labels: place });
    await opened.work();

    expect(retired).toEqual([[], expect.stringContaining('the model is retired')]);
    expect([...opened.telemetry.known]).toEqual(['r1']);
  });

  test('a bucket that is not there yet is looked at again', async () => {
    const opened = world({ labels: { bucket: 'later', prefix: 'x/' } });
    await opened.work();

    opened.buckets.set('later', atOnce<Bucket>(memoryBucket()));
    await opened.buckets.get('later')?.write('x/a', encodeText(line('r1')));
    opened.drive.wait(15 * minute);
    await opened.work();

    expect([...opened.telemetry.known]).toEqual(['r1']);
  });

  test.each([
    ['under the data', { bucket: 'drops', prefix: 'fraud/labels/' }, "'fraud/labels/' and the data of fraud"],
    ['above the data', { bucket: 'drops', prefix: 'fra' }, 'would start a run'],
    ['under the data of another model', { bucket: 'drops', prefix: 'churn/x' }, 'the data of churn'],
    ["in the project's own bucket", { bucket: 'serin', prefix: 'labels/' }, 'the pipeline itself writes'],
  ])('a place %s is refused with its reason', (_, labels, reason) => {
    const { train, split, evaluate, gate } = {
      train: { command: ['x'] },
      split: { holdout: { by: 'rows', share: '20%' } },
      evaluate: { command: ['x'] },
      gate: { auc: { direction: 'up', atLeast: 0.5 } },
    };
    const rest = { train, split, evaluate, gate };
    const models = {
      fraud: { ...rest, data: { bucket: 'drops', prefix: 'fraud/' }, labels },
      churn: { ...rest, data: { bucket: 'drops', prefix: 'churn/' } },
    };

    const read = parseConfig({ project: 'shop', models });

    expect('problems' in read && read.problems).toMatchObject([
      { path: 'models.fraud.labels.prefix', message: expect.stringContaining(reason) },
    ]);
  });
});

test('every state of the files takes every signal about them without a throw, and owes each order under a key of its own', async () => {
  const dispatcher = { self: 'test', dispatches: true, alone: true };
  const { drive, put, hint, carryOut, owed } = world();
  const states = [drive.state];
  for (let index = 0; index < 120; index += 1) await put(`fraud/${index}`, line(`r${index}`));
  const keys = new Set<string>();
  for (let [effect] = owed(); effect !== undefined; [effect] = owed()) {
    expect(keys.has(effect.key)).toBe(false);
    keys.add(effect.key);
    states.push(drive.state);
    drive.answer(effect.kind, await carryOut(effect));
    if (keys.size % 7 === 0) hint(`fraud/${keys.size}`);
  }
  states.push(drive.state);
  const counts = { recorded: 0, duplicate: 0, conflict: 0, unknown: 0, late: 0, bad: 0, reasons: [] };
  const said = [
    { type: 'labelsHinted', keys: [] },
    { type: 'labelsHinted', keys: ['fraud/x', 'elsewhere'] },
    { type: 'labelsFound', found: 'busy' },
    { type: 'labelsFound', found: { files: ['fraud/x'], ended: true } },
    { type: 'labelsFound', found: { files: [], cursor: 'c', after: 'a', ended: false } },
    { type: 'labelsImported', progress: 'busy' },
    { type: 'labelsImported', progress: 'gone' },
    { type: 'labelsImported', progress: { version: 'v', offset: 9, line: 9, counts, ended: false } },
    { type: 'labelsImported', progress: { version: 'v', offset: 9, line: 9, counts, ended: true } },
    { type: 'effectRefused', because: 'x' },
    { type: 'effectFailed', because: 'x' },
    { type: 'clockTicked' },
  ];

  expect(new Set(states.map(({ labels }) => labels?.status))).toEqual(new Set(Object.keys(labelsTable)));
  for (const state of states)
    for (const [key, { taken = 0 }] of [...Object.entries(state.debts), ['labels/0', {}] as const])
      for (const body of said) {
        const signal = { ...body, key, taken, id: 'x', at: state.at + 1, actor: human } as unknown as ModelSignal;
        const isAnswer = !['clockTicked', 'labelsHinted'].includes(body.type);
        const { key: _, taken: __, ...plain } = signal as unknown as Record<string, unknown>;
        const given = (isAnswer ? signal : plain) as unknown as ModelSignal;
        const decision = decideModel(state, given, { model: 'fraud', seq: 1000 }, dispatcher);
        expect(['moved', 'ignored', 'refused'].some((kind) => kind in decision)).toBe(true);
      }
});
