import { describe, expect, test } from 'vitest';
import { memoryProfiler } from '../../../../test/simulation/fakes/profiler.ts';
import { decodeText, encodeText, type Json, sha256Hex } from '../base/json.ts';
import { defined } from '../base/objects.ts';
import { day } from '../base/time.ts';
import { type AnswerSample, answersName } from '../drift/answers.ts';
import { emptyCounts } from '../drift/cells.ts';
import { noProbabilities, withProbabilities } from '../drift/estimate.ts';
import type { ColumnKind, Reference, WindowCounts } from '../drift/reference.ts';
import type { AnswersAsked } from '../model/drift/protocol.ts';
import type { Order } from '../model/protocol.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { CapturedPage, CapturedRequest } from '../ports/captured.ts';
import type { Ports } from '../ports/ports.ts';
import { countCaptured, judgeDrift } from './drift.ts';

const column = (name: string, cells: readonly number[]) => ({
  ...{ name, kind: 'number' as const, edges: [10, 20, 30], isContinuous: true },
  ...{ rows: 4000, missing: 0, mistyped: 0, outside: 0, cells },
  numbers: { min: 0, max: 40, mean: 20, deviation: 10 },
});
const reference: Reference = {
  ...{ version: 1, dataset: 'd', rows: 4000 },
  columns: [column('age', [1000, 1000, 1000, 1000]), column('height', [1000, 1000, 1000, 1000])],
};
const order = { endpoint: 'fraud', from: 0, to: day, fields: ['age', 'height'] } as const;
const rules = { notice: 0.03, major: 0.1, quietFor: 365 };

const profiler = async () => memoryProfiler();

/** An own bucket with the reference in it, and requests that were captured, a page each. */
function opened(pages: readonly (readonly CapturedRequest[])[], unread = 0) {
  const objects = new Map<string, Uint8Array>();
  const bucket = {
    read: async ({ key }: { readonly key: string }) => {
      const content = objects.get(key);
      return content && { key, version: '1', bytes: content.length, content, truncated: false };
    },
    write: async (key: string, content: Uint8Array) => {
      objects.set(key, content);
      return 'written' as const;
    },
  } as unknown as Bucket;
  const asked: (string | undefined)[] = [];
  const captured = async ({ cursor }: { readonly cursor?: string }): Promise<CapturedPage> => {
    asked.push(cursor);
    const at = Number(cursor ?? 0);
    const last = at >= pages.length - 1;
    return {
      items: pages[at] ?? [],
      ...(last ? {} : { next: String(at + 1) }),
      ...(unread === 0 ? {} : { unread: { requests: unread, first: 'it is not JSON' } }),
    };
  };
  const put = (folder: string, value: unknown): string => {
    const content = encodeText(JSON.stringify(value));
    objects.set(`${folder}/${sha256Hex(content)}.json`, content);
    return sha256Hex(content);
  };
  const read = (key: string) => JSON.parse(decodeText(objects.get(`${key}.json`) ?? new Uint8Array()));
  const counts = (digest: string) => read(`drift/windows/${digest}`) as WindowCounts;
  const ports = { bucket: () => bucket, telemetry: () => ({ captured }) } as unknown as Ports;
  return { ports, objects, asked, put, read, counts };
}

const request = (...rows: CapturedRequest['rows']): CapturedRequest => ({ at: 1, rows, answers: [] });

describe('captured requests', () => {
  test('are counted page by page, rows by name or by place, with those that cannot be read', async () => {
    const world = opened([[request({ age: 5 }, [15, 35])], [request({ height: null })]], 2);

    const { counted, cursor } = await countCaptured(
      { kind: 'countCaptured', ...order, reference: world.put('references', reference) },
      world.ports,
    );

    expect([counted.rows, counted.unread, cursor]).toEqual([3, { requests: 4, first: 'it is not JSON' }, undefined]);
    expect(world.counts(counted.counts).columns).toEqual([
      { rows: 3, missing: 1, mistyped: 0, outside: 0, cells: [1, 1, 0, 0] },
      { rows: 3, missing: 2, mistyped: 0, outside: 0, cells: [0, 0, 0, 1] },
    ]);
  });

  test('of a long window are counted in parts, to the same as at once, and a part twice to the same object', async () => {
    const pages = Array.from({ length: 45 }, (_, index) => [request({ age: index, height: 25 })]);
    const world = opened(pages);
    const asked = { kind: 'countCaptured', ...order, reference: world.put('references', reference) } as const;

    const first = await countCaptured(asked, world.ports);
    const next = { ...asked, counted: first.counted, cursor: first.cursor ?? '' };
    const [second, again] = [await countCaptured(next, world.ports), await countCaptured(next, world.ports)];
    const third = await countCaptured({ ...asked, counted: second.counted, cursor: second.cursor ?? '' }, world.ports);

    expect([first.cursor, second.cursor, third.cursor]).toEqual(['20', '40', undefined]);
    expect(again).toEqual(second);
    expect(third.counted.rows).toBe(45);
    // What the next part goes on with is forgotten sooner than what a detector is shown.
    expect([...world.objects.keys()].map((key) => key.replace(/[^/]+$/, ''))).toEqual([
      'references/',
      'drift/unfinished/',
      'drift/unfinished/',
      'drift/windows/',
    ]);
    expect(world.counts(third.counted.counts).columns[0]?.cells).toEqual([11, 10, 10, 14]);
  });

  test('of a long window are counted from its beginning where the counts of its first parts are gone', async () => {
    const pages = Array.from({ length: 45 }, (_, index) => [request({ age: index, height: 25 })]);
    const world = opened(pages, 1);
    const asked = { kind: 'countCaptured', ...order, reference: world.put('references', reference) } as const;
    const first = await countCaptured(asked, world.ports);

    for (const key of world.objects.keys()) if (key.startsWith('drift/unfinished/')) world.objects.delete(key);
    const again = await countCaptured({ ...asked, counted: first.counted, cursor: first.cursor ?? '' }, world.ports);

    expect(again).toEqual(first);
    expect(again.counted.unread?.requests).toBe(20);
  });

  test('are not counted on a reference that was changed or is gone', async () => {
    const world = opened([[]]);
    const digest = world.put('references', reference);
    const asked = { kind: 'countCaptured', ...order, reference: digest } as const;
    world.objects.set(`references/${digest}.json`, encodeText(JSON.stringify({ ...reference, rows: 1 })));

    await expect(countCaptured(asked, world.ports)).rejects.toThrow('it was changed or damaged');
    world.objects.clear();
    await expect(countCaptured(asked, world.ports)).rejects.toThrow("is not in the bucket 'serin'");
  });
});

describe('a window', () => {
  const windowOf = (world: ReturnType<typeof opened>, age: readonly number[]): string => {
    const counts = emptyCounts(reference);
    const [, height] = counts.columns;
    return world.put('drift/windows', {
      ...counts,
      rows: 1000,
      columns: [
        { ...counts.columns[0], rows: 1000, cells: age },
        { ...height, rows: 1000, cells: [250, 250, 250, 250] },
      ],
    });
  };

  test('that is like the reference is clean, and one that is not names its column, the largest change first', async () => {
    const world = opened([]);
    const asked = {
      kind: 'judgeDrift',
      reference: world.put('references', reference),
      from: 0,
      to: day,
      fields: order.fields,
      rules,
    } as const;
    const judge = (age: readonly number[], detector?: string) =>
      judgeDrift(
        {
          ...asked,
          counted: { counts: windowOf(world, age), rows: 1000 },
          ...(detector === undefined ? {} : { detector }),
        },
        world.ports,
        profiler,
      );

    const clean = await judge([250, 250, 250, 250]);
    const drifted = await judge([50, 200, 250, 500], clean.detector);

    expect(clean.judged).toMatchObject({ alarms: [], threshold: 365 });
    expect(clean.judged).not.toHaveProperty('level');
    expect(drifted.judged).toMatchObject({
      level: 'major',
      alarms: ['age'],
      columns: [{ name: 'age' }, { name: 'height' }],
    });
    expect(drifted.judged.columns[0]?.size).toBeCloseTo(0.25, 9);
    expect(drifted.judged.evidence).toBeGreaterThan(365);
    expect(await judge([50, 200, 250, 500], clean.detector)).toEqual(drifted);
  });

  test('is judged by a detector that begins anew where what it knew was forgotten', async () => {
    const world = opened([]);
    const digest = world.put('references', reference);
    const judge = (detector?: string) =>
      judgeDrift(
        {
          ...{ kind: 'judgeDrift', reference: digest, from: 0, to: day, fields: order.fields, rules },
          counted: { counts: windowOf(world, [250, 250, 250, 250]), rows: 1000 },
          ...(detector === undefined ? {} : { detector }),
        },
        world.ports,
        profiler,
      );
    const first = await judge();
    const second = await judge(first.detector);

    world.objects.delete(`drift/windows/${first.detector}.json`);

    expect(second.detector).not.toBe(first.detector);
    expect(await judge(first.detector)).toEqual(first);
  });

  test('of a thousand columns that all drifted leaves as little as one of twenty', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `${index}${'ä'.repeat(200)}`);
    const wide: Reference = { ...reference, columns: names.map((name) => column(name, [1000, 1000, 1000, 1000])) };
    const world = opened([]);
    const empty = emptyCounts(wide);
    const counts = {
      ...{ ...empty, rows: 1000 },
      columns: empty.columns.map((each) => ({ ...each, rows: 1000, cells: [1000, 0, 0, 0] })),
    };

    const { judged } = await judgeDrift(
      {
        ...{ kind: 'judgeDrift', reference: world.put('references', wide), from: 0, to: day, fields: names, rules },
        counted: { counts: world.put('drift/windows', counts), rows: 1000 },
      },
      world.ports,
      profiler,
    );

    expect([judged.level, judged.alarms.length, judged.columns.length]).toEqual(['major', 20, 20]);
    expect(judged.alarms[0]).toHaveLength(100);
    expect(JSON.stringify(judged).length).toBeLessThan(8000);
  });

  test('names of the columns that drifted the one that changed most first', async () => {
    const world = opened([]);
    const of = (...cells: number[]) => ({ ...emptyCounts(reference).columns[0], rows: 1000, cells });
    const counts = {
      ...{ ...emptyCounts(reference), rows: 1000 },
      columns: [of(100, 150, 250, 500), of(0, 0, 0, 1000)],
    };
    const { judged } = await judgeDrift(
      {
        ...{ kind: 'judgeDrift', reference: world.put('references', reference), from: 0, to: day },
        ...{ counted: { counts: world.put('drift/windows', counts), rows: 1000 }, fields: order.fields, rules },
      },
      world.ports,
      profiler,
    );

    expect(judged.alarms).toEqual(['height', 'age']);
  });

  test('is judged by the columns that requests may hold: the label does not weaken the evidence', async () => {
    const world = opened([]);
    const counted = { counts: windowOf(world, [230, 260, 250, 260]), rows: 1000 };
    const { judged } = await judgeDrift(
      {
        ...{ kind: 'judgeDrift', reference: world.put('references', reference), counted, from: 0, to: day },
        ...{ fields: ['age', 'Height'], rules },
      },
      world.ports,
      profiler,
    );

    expect(judged.evidence).toBe(judged.columns.find(({ name }) => name === 'age')?.evidence);
    // Nothing is compared with a field that the training data calls otherwise.
    expect(judged.absent).toEqual(['Height']);
  });

  test('is judged by no column that was counted before the config had it off, also while it drifts', async () => {
    const world = opened([]);
    const order = {
      kind: 'judgeDrift',
      ...{ reference: world.put('references', reference), from: 0, to: day, rules },
      counted: { counts: windowOf(world, [1000, 0, 0, 0]), rows: 1000 },
    } as const;
    const before = await judgeDrift({ ...order, fields: ['age', 'height'] }, world.ports, profiler);
    const off = { ...order, detector: before.detector, isOpen: true as const, fields: ['height'] };

    expect(before.judged.level).toBe('major');
    expect((await judgeDrift({ ...off, fields: ['age', 'height'] }, world.ports, profiler)).judged.level).toBe('major');
    const { judged } = await judgeDrift(off, world.ports, profiler);
    expect([judged.level, judged.isSilent, judged.columns.map(({ name }) => name)]).toEqual([
      undefined,
      undefined,
      ['height'],
    ]);
  });
});

describe('answers', () => {
  /** As often in each cell of the reference. */
  const rowAt = (at: number) => ({ age: 5 + 10 * (at % 4), height: 5 + 10 * (at % 4) });
  const answered = (at: number, answer: Json, deployment?: string): CapturedRequest => ({
    ...{ at, rows: [rowAt(at)], answers: [answer] },
    ...(deployment === undefined ? {} : { deployment }),
  });
  const asked = (world: ReturnType<typeof opened>, answers: AnswersAsked) =>
    ({ kind: 'countCaptured', ...order, reference: world.put('references', reference), answers }) as const;
  const even = (from: number, to: number, value: (at: number) => Json = (at) => (at % 100) / 100 + 0.001) =>
    Array.from({ length: to - from }, (_, index) => answered(from + index, value(from + index)));

  test('of the version that serves are sampled: those of others are not, and those of nobody are', async () => {
    const page = [answered(1, 'a', 'v1'), answered(2, 'b', 'v2'), answered(3, 'c')];
    const world = opened([page, [answered(4, 'd', 'v1')]]);

    const { counted } = await countCaptured(asked(world, { of: 'v1' }), world.ports);

    const sample = world.read(`drift/${counted.answers?.kept}`) as AnswerSample;
    expect(sample.answers.map(([, value]) => value).toSorted()).toEqual(['a', 'c', 'd']);
    expect([counted.answers?.rows, counted.rows]).toEqual([3, 4]);
  });

  test('are sampled in parts as at once, in addition to the windows before, and a part twice to the same', async () => {
    const pages = Array.from({ length: 45 }, (_, index) => [answered(index, index)]);
    const world = opened(pages);
    const before = world.put('drift', { version: 1, answers: [['0'.repeat(16), 'before']] });
    const order = asked(world, { of: 'v1', sample: before });

    const first = await countCaptured(order, world.ports);
    const next = { ...order, counted: first.counted, cursor: first.cursor ?? '' };
    const [second, again] = [await countCaptured(next, world.ports), await countCaptured(next, world.ports)];
    const third = await countCaptured({ ...order, counted: second.counted, cursor: second.cursor ?? '' }, world.ports);

    expect(again).toEqual(second);
    expect(third.counted.answers?.rows).toBe(45);
    const { answers } = world.read(`drift/${third.counted.answers?.kept}`) as AnswerSample;
    expect(answers.map(([, value]) => value).toSorted()).toEqual([...Array(45).keys(), 'before'].toSorted());
  });

  test('that are none leave nothing, and those that the config has off are not looked at', async () => {
    const world = opened([[request({ age: 5 })]]);
    const { answers: _, ...off } = asked(opened([even(0, 9)]), { of: 'v1' });
    const without = opened([even(0, 9)]);

    const none = await countCaptured(asked(world, { of: 'v1' }), world.ports);
    const passed = await countCaptured({ ...off, reference: without.put('references', reference) }, without.ports);

    expect(none.counted).not.toHaveProperty('answers');
    expect(passed.counted).not.toHaveProperty('answers');
  });

  /** A world in which a window gave a reference of the answers, and what judges the next ones on it. */
  async function frozen(requests: readonly CapturedRequest[], kind?: ColumnKind, isShort?: true) {
    const pages = [requests];
    const world = opened(pages);
    const counting = asked(world, { of: 'v1' });
    const { counted } = await countCaptured(counting, world.ports);
    const window = { reference: counting.reference, from: 0, to: day, fields: order.fields, rules, counted };
    const freeze = { sample: counted.answers?.kept ?? '', ...defined({ kind, isShort }) };
    const judge = (more: Partial<Extract<Order, { kind: 'judgeDrift' }>>) =>
      judgeDrift({ kind: 'judgeDrift', ...window, ...more }, world.ports, profiler);
    const first = await judge({ answers: { freeze } });
    const made = first.answers ?? '';
    const next = async (requests: readonly CapturedRequest[], after = first) => {
      pages[0] = requests;
      const live = await countCaptured({ ...counting, answers: { of: 'v1', reference: made } }, world.ports);
      return judge({
        ...{ answers: { reference: made }, counted: live.counted, detector: after.detector },
        ...(after.judged.level === undefined ? {} : { isOpen: true }),
      });
    };
    const column = (world.read(`references/${made}`) as Reference).columns[0];
    return { world, freeze, judge, first, next, column };
  }

  test('become a reference of their own, twice the same, and are judged as one more column', async () => {
    const { judge, freeze, first, next, column } = await frozen(even(0, 2000));

    const clean = await next(even(2000, 3000));
    const drifted = await next(
      even(3000, 4000, (at) => (at % 50) / 100 + 0.001),
      clean,
    );

    expect((await judge({ answers: { freeze } })).answers).toBe(first.answers);
    expect(column).toMatchObject({ name: answersName, kind: 'number', rows: 2000, missing: 0, mistyped: 0 });
    expect(first.judged.columns.map(({ name }) => name)).not.toContain(answersName);
    expect(clean.judged).toMatchObject({ alarms: [], columns: [{ name: answersName }, {}, {}] });
    expect(drifted.judged).toMatchObject({ alarms: [answersName], level: 'major' });
    expect(drifted.judged.columns[0]?.size).toBeCloseTo(0.5, 1);
    expect(
      await next(
        even(3000, 4000, (at) => (at % 50) / 100 + 0.001),
        clean,
      ),
    ).toEqual(drifted);
  });

  test('count in the mean before they are judged', async () => {
    const { judge } = await frozen(even(0, 2000));

    const [off, awaited] = [await judge({}), await judge({ answers: {} })];

    expect(off.judged.evidence).toBeGreaterThan(0);
    expect(awaited.judged.evidence).toBeCloseTo((off.judged.evidence * 2) / 3, 3);
  });

  test.each<readonly [string, (at: number) => Json, ColumnKind | undefined, ColumnKind]>([
    ['labels', (at) => ({ label: at % 3 === 0 ? 'yes' : 'no', score: 0.9 }), undefined, 'category'],
    ['whole numbers that hardly repeat', (at) => 7 * at, undefined, 'number'],
    ['numbers that the config takes for categories', (at) => at % 50, 'category', 'category'],
    ['texts that are all different', (at) => `answer ${at}`, undefined, 'plain'],
  ])('that are %s are compared as such', async (_, value, kind, compared) => {
    const { column } = await frozen(even(0, 1200, value), kind);

    expect(column?.kind).toBe(compared);
    expect(column?.rows).toBe(1200);
  });

  test('that are compared with less than a week of them are told of, and start nothing', async () => {
    const { freeze, next } = await frozen(even(0, 2000), undefined, true);

    const { judged } = await next(even(2000, 3000, () => 0.5));

    expect(freeze).toHaveProperty('isShort');
    expect(judged).toMatchObject({ alarms: [answersName], level: 'notice' });
  });

  test('without a value are seen', async () => {
    const { next } = await frozen(even(0, 2000));

    const { judged } = await next(even(2000, 3000, (at) => (at % 5 === 0 ? null : (at % 100) / 100 + 0.001)));

    expect(judged.columns[0]).toMatchObject({ name: answersName, missing: [0, 0.2] });
    expect(judged.alarms).toEqual([answersName]);
  });

  test('of a window without any are neither clean nor drifted', async () => {
    const { next } = await frozen(even(0, 2000));
    const drifted = await next(even(2000, 3000, () => 0.5));
    const silent = even(3000, 4000).map((each) => ({ ...each, answers: [] }));
    const none = await next(silent, drifted);

    expect(drifted.judged.alarms).toEqual([answersName]);
    expect(none.judged).toMatchObject({ alarms: [], isSilent: true });
  });
});

describe('probabilities', () => {
  const place = { of: 'v1', pointer: '/p', cutoff: 0.5 };
  const asked = (world: ReturnType<typeof opened>) =>
    ({ kind: 'countCaptured', ...order, reference: world.put('references', reference), probabilities: place }) as const;
  const predicted = (answers: readonly Json[], more: Partial<CapturedRequest> = {}): CapturedRequest => ({
    ...{ at: 1, rows: answers.map(() => ({ age: 5, height: 5 })), answers },
    ...more,
  });

  test('of the version that serves are added up, and a row without one is counted', async () => {
    const world = opened([
      [
        predicted([{ p: 0.25 }, { p: 0.75 }], { deployment: 'v1' }),
        predicted([{ p: 1 }], { deployment: 'v2' }),
        predicted([{ p: 0.5 }]),
      ],
      // Nothing was read of the answer to two rows; of the last request there is no copy of one.
      [
        predicted([{ p: '0.9' }]),
        { ...predicted([1, 2]), answers: [] },
        { ...predicted([1]), answers: [], unanswered: true },
      ],
    ]);

    const { counted } = await countCaptured(asked(world), world.ports);

    expect(counted.probabilities).toEqual({
      ...{ above: { rows: 2, sum: 1.25 }, below: { rows: 1, sum: 0.25 } },
      ...{ lacking: 3, lacks: 'a text' },
    });
  });

  test('are added up in parts as at once, a part twice to the same, and from the beginning where counts are gone', async () => {
    const pages = Array.from({ length: 45 }, (_, index) => [predicted([{ p: index / 45 }, { p: 0.1 }])]);
    const world = opened(pages);
    const order = asked(world);

    const first = await countCaptured(order, world.ports);
    const next = { ...order, counted: first.counted, cursor: first.cursor ?? '' };
    const [second, again] = [await countCaptured(next, world.ports), await countCaptured(next, world.ports)];
    const third = await countCaptured({ ...order, counted: second.counted, cursor: second.cursor ?? '' }, world.ports);
    for (const key of world.objects.keys()) if (key.startsWith('drift/unfinished/')) world.objects.delete(key);
    const anew = await countCaptured(next, world.ports);

    const all = pages.flatMap(([request]) => request?.answers ?? []);
    expect(again).toEqual(second);
    expect(third.counted.probabilities).toEqual(withProbabilities(noProbabilities, all, place));
    expect(anew).toEqual(first);
  });

  test('that nobody asks for are not looked at', async () => {
    const world = opened([[predicted([{ p: 0.25 }])]]);
    const { probabilities: _, ...order } = asked(world);

    expect((await countCaptured(order, world.ports)).counted).not.toHaveProperty('probabilities');
  });
});
