import type { TruthRule } from '@serin/core/base/truths';
import type { Label, LabelOutcome, Labels } from '@serin/core/ports/telemetry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdapterOf } from './adapters.ts';
import { partsOf } from './parts.ts';

type Prediction = string | number | boolean;

/** A request that is routed now, at 50 % unless it is said otherwise. */
export interface RoutedRequest {
  readonly id: string;
  readonly endpoint?: string;
  readonly deployment?: string;
  readonly weight?: number;
}
export interface AnsweredRequest {
  readonly prediction?: Prediction;
  readonly errored?: boolean;
  readonly mirror?: { readonly deployment: string; readonly prediction?: Prediction; readonly failed: boolean };
}

export interface OpenLabels {
  readonly telemetry: Labels;
  /** The time is a multiple of an hour when it opens. */
  now(): number;
  /** Passes time, in which the platform does what it does by the clock. */
  advance(ms: number): Promise<void>;
  /** A request that is answered when the returned function is called. */
  begin(what: RoutedRequest): (answer: AnsweredRequest) => void;
  /** When a tick that ended then is closed; absent: once its labels have matured. */
  readonly closesAt?: (end: number) => number;
  /** The same store after a restart of what holds it. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export const tickMs = 60_000;
/** What the plan of every endpoint of the platform under test says; its ticks are of `tickMs`. */
export const maturityMs = 10 * tickMs;

/** What every `Labels` promises; `open` gives an empty one. */
export function labelsContract(name: AdapterOf<'labels'>, open: () => Promise<OpenLabels>): void {
  describe(`${name} keeps the promise of labels`, () => {
    const { unknown, weights, errors, routed, mirrors, totals } = partsOf('labels', name);
    let opened: OpenLabels;
    let start: number;
    beforeEach(async () => {
      opened = await open();
      start = opened.now();
    });
    afterEach(() => opened.close());

    const request = (id: string, answer: AnsweredRequest = {}, where: Partial<RoutedRequest> = {}) =>
      opened.begin({ id, ...where })(answer);
    const label = (requestId: string, outcome: LabelOutcome): Label => ({ requestId, time: opened.now(), outcome });
    const tell = (...labels: readonly (readonly [string, LabelOutcome])[]) =>
      opened.telemetry.label(labels.map(([id, outcome]) => label(id, outcome)));
    const read = (ticks = 1, endpoint = 'e', more: { readonly truths?: TruthRule } = {}) =>
      opened.telemetry.labels({ endpoint, from: start, to: start + ticks * tickMs, tickMs, maturityMs, ...more });
    const closesAt = (ticks = 1) => {
      const end = start + ticks * tickMs;
      return opened.closesAt?.(end) ?? end + maturityMs;
    };
    const mature = (ticks = 1) => opened.advance(Math.max(0, closesAt(ticks) - opened.now()));
    const wrongOf = async () =>
      (await read()).flatMap(({ rows }) => rows.map(({ labelled, wrong }) => [labelled, wrong]));

    test('answers one word for each label, in order', async () => {
      request('a', { prediction: 1 });
      request('b', { prediction: 1 });

      const answers = await tell(['a', { truth: 1 }], ['b', { wrong: true }], ['a', { truth: 1 }]);

      expect(answers).toEqual(['recorded', 'recorded', 'duplicate']);
    });

    unknown('a label of a request that nobody knows is answered so', async () => {
      request('a', { prediction: 1 });

      expect(await tell(['nobody', { truth: 1 }], ['a', { truth: 1 }])).toEqual(['unknown', 'recorded']);
    });

    test('counts requests, labels and wrong ones by deployment', async () => {
      request('a', { prediction: 'cat' }, { deployment: 'v1' });
      request('b', { prediction: 'cat' }, { deployment: 'v1' });
      request('c', { prediction: 'cat' }, { deployment: 'v2' });
      await tell(['c', { truth: 'dog' }], ['a', { truth: 'cat' }], ['of nobody', { wrong: true }]);
      await mature();

      const [tick] = await read();

      expect(tick).toMatchObject({ start, losses: [], pairs: {} });
      expect(tick?.rows.toSorted((one, two) => (one.deployment < two.deployment ? -1 : 1))).toMatchObject([
        { deployment: 'v1', requests: 2, labelled: 1, wrong: 0 },
        { deployment: 'v2', requests: 1, labelled: 1, wrong: 1 },
      ]);
    });

    weights('counts them by the weight that a deployment had', async () => {
      request('a', { prediction: 'cat' }, { deployment: 'v1', weight: 95 });
      request('b', { prediction: 'cat' }, { deployment: 'v1', weight: 95 });
      request('c', { prediction: 'cat' }, { deployment: 'v2', weight: 5 });
      await opened.advance(1000);
      request('d', { prediction: 'cat' }, { deployment: 'v2', weight: 25 });
      await tell(['a', { truth: 'cat' }], ['c', { truth: 'dog' }], ['d', { truth: 'cat' }]);
      await mature();

      const [tick] = await read();

      expect(tick?.rows).toEqual([
        { deployment: 'v1', weight: 95, requests: 2, labelled: 1, wrong: 0 },
        { deployment: 'v2', weight: 5, requests: 1, labelled: 1, wrong: 1 },
        { deployment: 'v2', weight: 25, requests: 1, labelled: 1, wrong: 0 },
      ]);
    });

    test.each<[string, AnsweredRequest, LabelOutcome, boolean]>([
      ['an equal number', { prediction: 1 }, { truth: 1 }, false],
      ['a number and its text', { prediction: 1 }, { truth: '1' }, false],
      ['a truth value and its text', { prediction: 'true' }, { truth: true }, false],
      ['another text of the same number', { prediction: '1.0' }, { truth: 1 }, true],
      ['another text', { prediction: 'cat' }, { truth: 'dog' }, true],
      ['an answer without a prediction', {}, { truth: 1 }, true],
      ['the word of the sender', { prediction: 1 }, { wrong: true }, true],
      ['the word of the sender about an error', { errored: true }, { wrong: false }, false],
    ])('compares %s', async (_, answer, outcome, wrong) => {
      request('a', answer);
      await tell(['a', outcome]);
      await mature();

      expect(await wrongOf()).toEqual([[1, wrong ? 1 : 0]]);
    });

    test('tells of one class what was predicted and what was true, by the truths only, and all is compared as before', async () => {
      const told: readonly (readonly [Prediction | undefined, LabelOutcome])[] = [
        ['fraud', { truth: 'fraud' }],
        ['fraud', { truth: 'honest' }],
        ['fraud', { truth: 'odd' }],
        ['honest', { truth: 'fraud' }],
        ['odd', { truth: 'fraud' }],
        [undefined, { truth: 'fraud' }],
        ['honest', { truth: 'honest' }],
        ['honest', { truth: 'odd' }],
        ['fraud', { wrong: true }],
        ['fraud', { loss: 0.5 }],
      ];
      for (const [index, [prediction]] of told.entries())
        request(`r${index}`, prediction === undefined ? {} : { prediction });
      request('without a label', { prediction: 'fraud' });
      request('of another', { prediction: 'fraud' }, { deployment: 'v2' });
      await tell(...told.map(([, outcome], index) => [`r${index}`, outcome] as const));
      await tell(['of another', { truth: 'fraud' }]);
      await mature();

      const [plain] = await read();
      const [tick] = await read(1, 'e', { truths: { positive: 'fraud' } });
      const rowOf = (deployment: string) => tick?.rows.find((row) => row.deployment === deployment);

      expect(rowOf('v1')).toMatchObject({
        ...{ requests: 11, labelled: 9, wrong: 7 },
        classes: { truePositives: 1, falsePositives: 2, falseNegatives: 3, trueNegatives: 2 },
      });
      expect(rowOf('v2')).toMatchObject({
        classes: { truePositives: 1, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 },
      });
      expect(plain).toEqual({ ...tick, rows: tick?.rows.map(({ classes: _, ...row }) => row) });
    });

    test.each<[string, string, Prediction, LabelOutcome]>([
      ['a truth value', 'true', true, { truth: true }],
      ['a number', '1', 1, { truth: '1' }],
      ['zero', '0', 0, { truth: 0 }],
    ])('knows a class that is %s by its text', async (_, positive, prediction, outcome) => {
      request('a', { prediction });
      await tell(['a', outcome]);
      await mature();

      const [tick] = await read(1, 'e', { truths: { positive } });

      expect(tick?.rows).toMatchObject([{ labelled: 1, wrong: 0, classes: { truePositives: 1 } }]);
    });

    test('takes truths for numbers where it is asked to: each is a loss by its error, and how large they are is summed', async () => {
      const told: readonly (readonly [Prediction | undefined, LabelOutcome])[] = [
        [12, { truth: 10 }],
        [7, { truth: '8' }],
        ['40', { truth: 10 }],
        ['cat', { truth: 10 }],
        [undefined, { truth: 10 }],
        [5, { truth: 'cat' }],
        [10, { wrong: true }],
        [10, { loss: 0.25 }],
      ];
      for (const [index, [prediction]] of told.entries()) {
        request(`r${index}`, prediction === undefined ? {} : { prediction });
        await opened.advance(10);
      }
      await tell(...told.map(([, outcome], index) => [`r${index}`, outcome] as const));
      await mature();

      const [tick] = await read(1, 'e', { truths: { scale: 10 } });

      expect(tick?.losses.map(({ loss }) => loss)).toEqual([0.2, 0.1, 1, 1, 1, 1, 0.25]);
      expect(tick?.rows).toMatchObject([
        {
          ...{ requests: 8, labelled: 1, wrong: 1 },
          errors: { numbers: 3, unknown: 3, absolute: 33, squares: 905, fourths: 810_017 },
        },
      ]);
      expect(tick?.rows[0]).not.toHaveProperty('classes');
    });

    errors(
      'takes an answer that was an error for no prediction of a class, and for the worst of a number',
      async () => {
        request('a', { prediction: 1, errored: true });
        await tell(['a', { truth: 1 }]);
        await mature();

        const [classed] = await read(1, 'e', { truths: { positive: '1' } });
        const [numbered] = await read(1, 'e', { truths: { scale: 10 } });

        expect(classed?.rows).toMatchObject([{ wrong: 1, classes: { truePositives: 0, falseNegatives: 1 } }]);
        expect(numbered?.losses.map(({ loss }) => loss)).toEqual([1]);
        expect(numbered?.rows).toMatchObject([{ labelled: 0, errors: { numbers: 0, unknown: 1 } }]);
      },
    );

    errors('takes an answer that was an error for wrong', async () => {
      request('a', { prediction: 1, errored: true });
      await tell(['a', { truth: 1 }]);
      await mature();

      expect(await wrongOf()).toEqual([[1, 1]]);
    });

    test.each([
      ['with slashes', '../orders/2026/1'],
      ['of as many characters as a label may have', 'x'.repeat(200)],
      ['of letters that are not ASCII', 'Zürich/é'],
    ])('knows a request by an id %s', async (_, id) => {
      request(id, { prediction: 1 });
      request(`${id}0`, { prediction: 1 });

      expect(await tell([id, { truth: 1 }], [id, { truth: 1 }])).toEqual(['recorded', 'duplicate']);
      await mature();
      expect((await read())[0]?.rows).toMatchObject([{ requests: 2, labelled: 1, wrong: 0 }]);
    });

    test('keeps the first outcome of two that differ, and says so', async () => {
      request('a', { prediction: 1 });

      const answers = [
        await tell(['a', { truth: 1 }]),
        await tell(['a', { truth: 2 }]),
        await tell(['a', { wrong: false }]),
        await tell(['a', { truth: '1' }]),
      ];
      await mature();

      expect(answers.flat()).toEqual(['recorded', 'conflict', 'conflict', 'duplicate']);
      expect(await wrongOf()).toEqual([[1, 0]]);
    });

    test('records a label once, however many send it at the same time', async () => {
      request('a', { prediction: 1 });

      const answers = await Promise.all(Array.from({ length: 20 }, () => tell(['a', { truth: 1 }])));
      await mature();

      expect(answers.flat().filter((answer) => answer === 'recorded')).toHaveLength(1);
      expect(answers.flat().filter((answer) => answer === 'duplicate')).toHaveLength(19);
      expect(await wrongOf()).toEqual([[1, 0]]);
    });

    routed(
      'takes the label of a request that has no answer yet, and compares it with the answer that comes',
      async () => {
        const answer = opened.begin({ id: 'a' });

        const early = await tell(['a', { truth: 1 }]);
        await opened.advance(2 * tickMs);
        answer({ prediction: 2 });
        await mature();

        expect(early).toEqual(['recorded']);
        expect(await wrongOf()).toEqual([[1, 1]]);
      },
    );

    test('a tick is closed when its maturity window is over, and not before', async () => {
      request('a', { prediction: 1 });
      await tell(['a', { truth: 1 }]);
      await opened.advance(closesAt() - start - 1);
      const before = await read();

      await opened.advance(1);

      expect(before).toEqual([]);
      expect(await read()).toHaveLength(1);
    });

    routed('a tick is not closed while a request of it has no answer', async () => {
      const answer = opened.begin({ id: 'a' });
      await mature();
      const open = await read();

      answer({ prediction: 1 });
      await opened.advance(2000);

      expect(open).toEqual([]);
      expect(await read()).toHaveLength(1);
    });

    test('a label that comes in time is in its tick, and a late one changes nothing', async () => {
      for (const id of ['a', 'b', 'c', 'd']) request(id, { prediction: 1 });
      await tell(['a', { truth: 2 }]);
      await opened.advance(tickMs + maturityMs - 1);
      await tell(['b', { truth: 1 }]);
      await opened.advance(1);

      await tell(['c', { truth: 2 }]);
      await mature();
      const first = await read();
      await tell(['d', { truth: 2 }]);

      expect(first[0]?.rows).toMatchObject([{ deployment: 'v1', requests: 4, labelled: 2, wrong: 1 }]);
      expect(await read()).toEqual(first);
    });

    unknown('a late label is answered so, and changes no closed tick', async () => {
      request('a', { prediction: 1 });
      request('b', { prediction: 1 });
      await tell(['a', { truth: 2 }]);
      await opened.advance(tickMs + maturityMs - 1);
      const last = await tell(['b', { truth: 1 }]);
      request('c', { prediction: 1 });
      await opened.advance(1);
      const first = await read();

      const late = await tell(['b', { truth: 1 }], ['c', { truth: 1 }]);
      request('d', { prediction: 1 });
      await opened.advance(12 * tickMs);
      const later = await tell(['d', { truth: 2 }], ['c', { truth: 1 }]);

      expect([last, late, later]).toEqual([['recorded'], ['duplicate', 'recorded'], ['late', 'duplicate']]);
      expect(first[0]?.rows).toEqual([{ deployment: 'v1', weight: 50, requests: 2, labelled: 2, wrong: 1 }]);
      expect(await read()).toEqual(first);
      const [, ...rest] = await read(12);
      expect(rest.flatMap(({ rows }) => rows)).toEqual([
        { deployment: 'v1', weight: 50, requests: 1, labelled: 1, wrong: 0 },
        { deployment: 'v1', weight: 50, requests: 1, labelled: 0, wrong: 0 },
      ]);
    });

    test('gives losses in the order in which the requests were routed, and counts them as neither right nor wrong', async () => {
      for (const id of ['a', 'b', 'c']) {
        request(id, {}, { deployment: id === 'b' ? 'v2' : 'v1' });
        await opened.advance(10);
      }
      await tell(['c', { loss: 0.25 }], ['a', { loss: 1 }], ['b', { loss: 0 }]);
      await mature();

      const [tick] = await read();

      expect(tick?.losses.map(({ deployment, loss }) => [deployment, loss])).toEqual([
        ['v1', 1],
        ['v2', 0],
        ['v1', 0.25],
      ]);
      expect(tick?.rows.map(({ requests, labelled }) => [requests, labelled]).sort()).toEqual([
        [1, 0],
        [2, 0],
      ]);
    });

    weights('says of a loss the weight by which its request was routed', async () => {
      request('a', {}, { deployment: 'v2', weight: 25 });
      await tell(['a', { loss: 0.5 }]);
      await mature();

      expect((await read())[0]?.losses).toEqual([{ deployment: 'v2', weight: 25, loss: 0.5 }]);
    });

    mirrors('counts the mirrored requests of which exactly one answer was wrong', async () => {
      const mirrored = (prediction: Prediction | undefined, failed = false) => ({
        prediction: 'cat',
        mirror: { deployment: 'v2', failed, ...(prediction === undefined ? {} : { prediction }) },
      });
      request('both right', mirrored('cat'));
      request('mirror wrong', mirrored('dog'));
      request('mirror failed', mirrored(undefined, true));
      request('mirror failed, so it is wrong', mirrored('cat', true));
      request('served wrong', mirrored('dog'));
      request('both wrong', mirrored('dog'));
      request('told both', mirrored('cat'));
      request('told of one alone', mirrored('cat'));
      request('no label', mirrored('dog'));
      request('not mirrored', { prediction: 'cat' });

      await tell(
        ['both right', { truth: 'cat' }],
        ['mirror wrong', { truth: 'cat' }],
        ['mirror failed', { truth: 'cat' }],
        ['mirror failed, so it is wrong', { wrong: false, mirror: false }],
        ['served wrong', { truth: 'dog' }],
        ['both wrong', { truth: 'bird' }],
        ['told both', { wrong: true, mirror: false }],
        ['told of one alone', { wrong: true }],
        ['not mirrored', { wrong: true, mirror: false }],
      );
      await mature();

      expect((await read())[0]?.pairs).toEqual({ v2: { mirror: 3, served: 2 } });
    });

    mirrors('takes no truth that is a number for a pair', async () => {
      request('a', { prediction: 1, mirror: { deployment: 'v2', failed: false, prediction: 2 } });
      await tell(['a', { truth: 2 }]);
      await mature();

      expect((await read(1, 'e', { truths: { scale: 10 } }))[0]?.pairs).toEqual({});
      expect((await read())[0]?.pairs).toEqual({ v2: { mirror: 0, served: 1 } });
    });

    test('a tick without requests is there, with nothing in it, and only whole ticks of the window come', async () => {
      request('a', {}, { endpoint: 'other' });
      await mature(4);
      const query = { endpoint: 'e', from: start + 1, to: start + 4 * tickMs - 1, tickMs, maturityMs };

      expect(await opened.telemetry.labels(query)).toEqual([
        { start: start + tickMs, rows: [], losses: [], pairs: {} },
        { start: start + 2 * tickMs, rows: [], losses: [], pairs: {} },
      ]);
    });

    test('keeps what it answered over a restart', async () => {
      request('a', { prediction: 1 });
      await opened.advance(2000);
      await tell(['a', { truth: 2 }]);

      await opened.reopen();

      expect(await tell(['a', { truth: 2 }])).toEqual(['duplicate']);
      await mature();
      expect(await wrongOf()).toEqual([[1, 1]]);
    });

    test('takes thousands of labels in one call', async () => {
      const ids = Array.from({ length: 3000 }, (_, index) => `request-${index}`);
      for (const id of ids) request(id, { prediction: 1 });

      const answers = await tell(...ids.map((id) => [id, { truth: 1 }] as const));
      await mature();

      expect(new Set(answers)).toEqual(new Set(['recorded']));
      expect(await wrongOf()).toEqual([[3000, 0]]);
    });

    totals('totals each answer by endpoint; unknown ones are in the totals of all', async () => {
      request('a', { prediction: 1 });
      request('b', { prediction: 1 }, { endpoint: 'other' });
      await opened.advance(2000);
      await tell(
        ['a', { truth: 1 }],
        ['a', { truth: 1 }],
        ['a', { truth: 2 }],
        ['b', { truth: 1 }],
        ['c', { truth: 1 }],
      );
      await opened.reopen();

      expect(await opened.telemetry.labelTotals('e')).toEqual({
        recorded: 1,
        duplicate: 1,
        conflict: 1,
        unknown: 1,
        late: 0,
      });
      expect(await opened.telemetry.labelTotals('other')).toMatchObject({ recorded: 1, unknown: 1 });
      expect(await opened.telemetry.labelTotals('never')).toMatchObject({ recorded: 0, unknown: 1 });
    });

    test('refuses a loss outside of [0, 1], and records nothing of that call', async () => {
      request('a');
      request('b');

      for (const loss of [-0.1, 1.1, Number.NaN])
        await expect(tell(['a', { loss: 0.5 }], ['b', { loss }])).rejects.toMatchObject({ code: 'invalid' });

      expect(await tell(['a', { loss: 0.5 }])).toEqual(['recorded']);
    });
  });
}
