import { describe, expect, test } from 'vitest';
import { decodeText, encodeText, sha256Hex } from '../base/json.ts';
import { day } from '../base/time.ts';
import { emptyCounts } from '../drift/cells.ts';
import type { Reference, WindowCounts } from '../drift/reference.ts';
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
  const counts = (digest: string) =>
    JSON.parse(decodeText(objects.get(`drift/${digest}.json`) ?? new Uint8Array())) as WindowCounts;
  const ports = { bucket: () => bucket, telemetry: () => ({ captured }) } as unknown as Ports;
  return { ports, objects, asked, put, counts };
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
    expect(world.counts(third.counted.counts).columns[0]?.cells).toEqual([11, 10, 10, 14]);
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
    return world.put('drift', {
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

  test('is judged by the columns that requests may hold: the label does not weaken the evidence', async () => {
    const world = opened([]);
    const counted = { counts: windowOf(world, [230, 260, 250, 260]), rows: 1000 };
    const { judged } = await judgeDrift(
      {
        ...{ kind: 'judgeDrift', reference: world.put('references', reference), counted, from: 0, to: day },
        ...{ fields: ['age'], rules },
      },
      world.ports,
    );

    expect(judged.evidence).toBe(judged.columns.find(({ name }) => name === 'age')?.evidence);
  });
});
