import { asFault } from '@serin/core/base/fault';
import { noProbabilities, withProbabilities } from '@serin/core/drift/estimate';
import { rowByRow } from '@serin/core/engine/answers';
import type { CapturedQuery, CapturedRequest } from '@serin/core/ports/captured';
import type { Telemetry } from '@serin/core/ports/telemetry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdapterOf } from './adapters.ts';
import { partsOf } from './parts.ts';

/** A request for a prediction and its answer, as they go over the wire. */
export interface AskedRequest {
  readonly endpoint: string;
  readonly deployment: string;
  readonly body: string;
  readonly contentType: string;
  /** Absent: there was none. */
  readonly answer?: string;
  /** What the platform names it by, where that can be chosen. */
  readonly id?: string;
}

export interface OpenCaptured {
  readonly telemetry: Pick<Telemetry, 'captured'>;
  /** The time is a multiple of an hour when it opens. */
  now(): number;
  /** Passes time, in which the platform does what it does by the clock. */
  advance(ms: number): Promise<void>;
  /** A request that is routed now, and captured with its JSON answer when the returned function is called. */
  begin(what: AskedRequest): () => void;
  /** How long after the end of a window the platform may still write what belongs to it. */
  readonly lagMs: number;
  close(): Promise<void>;
}

/** The features that the endpoint `e` may keep, in their order. The endpoint `other` may keep them as well. */
export const capturedFields = ['size', 'colour', 'price'];

const minute = 60_000;

/** What every `Telemetry.captured` promises; `open` gives a platform that captures all requests, and has none. */
export function capturedContract(name: AdapterOf<'captured'>, open: () => Promise<OpenCaptured>): void {
  describe(`${name} keeps the promise of captured`, () => {
    const { routed } = partsOf('captured', name);
    let opened: OpenCaptured;
    let start: number;
    beforeEach(async () => {
      opened = await open();
      start = opened.now();
    });
    afterEach(() => opened.close());

    const asked = (size: number, more: Partial<AskedRequest> = {}): AskedRequest => ({
      endpoint: 'e',
      deployment: 'v1',
      body: JSON.stringify({ instances: [{ size, colour: 'red', price: 0.5 }] }),
      contentType: 'application/json',
      answer: JSON.stringify({ predictions: [size * 2] }),
      ...more,
    });
    const capture = (size: number, more?: Partial<AskedRequest>) => opened.begin(asked(size, more))();
    const pass = (ms = minute) => opened.advance(ms + opened.lagMs);
    const query = (more: Partial<CapturedQuery> = {}): CapturedQuery => ({
      ...{ endpoint: 'e', from: start, to: start + minute, fields: capturedFields },
      ...more,
    });

    async function pages(more: Partial<CapturedQuery> = {}) {
      const found = [];
      for (let cursor: string | undefined; ; ) {
        const page = await opened.telemetry.captured(query({ ...more, ...(cursor === undefined ? {} : { cursor }) }));
        found.push(page);
        if (page.next === undefined) return found;
        cursor = page.next;
      }
    }
    const read = async (more?: Partial<CapturedQuery>): Promise<readonly CapturedRequest[]> =>
      (await pages(more)).flatMap(({ items }) => items);
    const sizes = async (more?: Partial<CapturedQuery>) =>
      (await read(more)).flatMap(({ rows }) => rows.map((row) => Object(row).size)).sort((one, two) => one - two);

    test('a request is there with its rows, its answers, its time and its deployment', async () => {
      await opened.advance(1500);
      capture(3);
      const at = opened.now();
      await pass();

      const [item, ...others] = await read();

      expect(others).toEqual([]);
      expect(item).toMatchObject({ rows: [{ size: 3, colour: 'red', price: 0.5 }], answers: [6] });
      expect([undefined, 'v1']).toContain(item?.deployment);
      expect(Math.abs((item?.at ?? 0) - at)).toBeLessThanOrEqual(1000);
    });

    test('the probability in each answer is found by one pointer, and where there is none that is seen', async () => {
      const body = JSON.stringify({ instances: [1, 2, 3].map((size) => ({ size, colour: 'red', price: 0.5 })) });
      const answers = (predictions: readonly unknown[]) => ({ body, answer: JSON.stringify({ predictions }) });
      const one = JSON.stringify({ predictions: [[0.75, 0.25]] });
      capture(0, answers([[0.75, 0.25], [0.25, 0.75], [0.5]]));
      capture(1, { answer: one });
      capture(2, { answer: JSON.stringify([0.75, 0.25]) });
      capture(3, { answer: '{"error": "out of memory"}' });
      capture(4, answers([[0.75, 0.25]]));
      capture(5, answers(['0.9', [0.1, '0.9'], [0.1, 9]]));
      await pass();

      const found = rowByRow(await read(), 'v1');

      expect(withProbabilities(noProbabilities, found, { pointer: '/1', cutoff: 0.5 })).toMatchObject({
        ...{ above: { rows: 1, sum: 0.75 }, below: { rows: 3, sum: 0.75 }, lacking: 8 },
      });
    });

    test('values without names are taken in the order of the fields', async () => {
      capture(0, { body: '3,red,0.5\n4,blue,\n', contentType: 'text/csv', answer: '[6,8]' });
      await pass();

      expect(await read()).toMatchObject([
        {
          rows: [
            { size: 3, colour: 'red', price: 0.5 },
            { size: 4, colour: 'blue', price: null },
          ],
          answers: [6, 8],
        },
      ]);
    });

    test('pages add up to all requests, each of them once', async () => {
      for (let size = 0; size < 2300; size++) capture(size);
      await pass();

      const found = await pages();

      expect(found.length).toBeGreaterThan(1);
      expect(Math.max(...found.map(({ items }) => items.length))).toBeLessThanOrEqual(1000);
      expect(await sizes()).toEqual(Array.from({ length: 2300 }, (_, size) => size));
    });

    test('the same requests are there when they are asked for twice', async () => {
      for (let size = 0; size < 30; size++) {
        capture(size);
        await opened.advance(1000);
      }
      await pass();

      const first = await pages();
      capture(99);
      await pass();

      expect(first.flatMap(({ items }) => items)).toHaveLength(30);
      expect(await pages()).toEqual(first);
    });

    test('nothing but the fields is there', async () => {
      const body = JSON.stringify({ dataframe_records: [{ size: 3, colour: 'red', secret: 'of a person' }] });
      capture(0, { body });
      capture(0, { body: '{"size":1,"colour":{"secret":"of a person"},"price":["of a person"]}' });
      await pass();

      const found = JSON.stringify(await pages());

      expect(found).toContain('red');
      expect(found).not.toContain('person');
      expect(await read({ fields: ['size'] })).toMatchObject([{ rows: [{ size: 3 }] }, { rows: [{ size: 1 }] }]);
      expect(JSON.stringify(await pages({ fields: ['size'] }))).not.toContain('red');
    });

    test('a window has its beginning, and not its end', async () => {
      capture(1);
      await opened.advance(minute);
      capture(2);
      await opened.advance(minute);
      capture(3);
      await pass();

      expect(await sizes()).toEqual([1]);
      expect(await sizes({ from: start + minute, to: start + 2 * minute })).toEqual([2]);
      expect(await sizes({ from: start, to: start + 3 * minute })).toEqual([1, 2, 3]);
      expect(await sizes({ from: start + 1, to: start + minute + 1 })).toEqual([2]);
    });

    test('a window whose requests may still come is unavailable', async () => {
      capture(1);
      await opened.advance(minute / 2);

      expect(await codeOf(opened.telemetry.captured(query()))).toBe('unavailable');
      await pass();
      expect(await sizes()).toEqual([1]);
      expect(await codeOf(opened.telemetry.captured(query({ to: opened.now() + minute })))).toBe('unavailable');
    });

    routed('a request belongs to the time at which it was routed, however late it is answered', async () => {
      const answered = opened.begin(asked(1));
      await opened.advance(minute + 2000);
      capture(2);

      expect(await codeOf(opened.telemetry.captured(query()))).toBe('unavailable');
      answered();
      await pass();
      expect(await sizes()).toEqual([1]);
      expect(await sizes({ from: start + minute, to: start + 2 * minute })).toEqual([2]);
    });

    test('it does not matter in which order requests are answered', async () => {
      const open = Array.from({ length: 20 }, (_, size) => opened.begin(asked(size)));
      for (const answered of open.reverse()) answered();
      await pass();

      expect(await sizes()).toEqual(Array.from({ length: 20 }, (_, size) => size));
    });

    test('where nothing was captured there is an empty page', async () => {
      capture(1, { endpoint: 'other' });
      await pass();

      expect(await opened.telemetry.captured(query())).toEqual({ items: [] });
      expect(await opened.telemetry.captured(query({ endpoint: 'never' }))).toEqual({ items: [] });
    });

    test('requests that cannot be read are counted, with a reason that has none of their values', async () => {
      capture(1);
      for (const body of ['{"text":"of a person"}', 'of a person', '[["of","a","person","too"]]']) capture(0, { body });
      await pass();

      const unread = (await pages()).flatMap((page) => page.unread ?? []);

      expect(await sizes()).toEqual([1]);
      expect(unread.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
      for (const { first } of unread) {
        expect(first).not.toBe('');
        expect(first).not.toContain('person');
      }
    });

    test('a request is there without answers that cannot be read', async () => {
      capture(1, { answer: '<html>' });
      await pass();

      expect(await read()).toMatchObject([{ rows: [{ size: 1 }], answers: [] }]);
    });

    test('a window or a cursor that is none is invalid', async () => {
      await pass();

      expect(await codeOf(opened.telemetry.captured(query({ from: Number.NaN })))).toBe('invalid');
      expect(await codeOf(opened.telemetry.captured(query({ cursor: '\0' })))).toBe('invalid');
    });
  });
}

const codeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'answered',
    (error) => asFault(error).code,
  );
