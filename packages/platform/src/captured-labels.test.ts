import { labelsPrefix } from '@serin/clouds/captured';
import { Fault } from '@serin/core/base/fault';
import { hour, minute } from '@serin/core/base/time';
import type { Bucket } from '@serin/core/ports/bucket';
import type { CapturedPage, CapturedQuery, CapturedRequest } from '@serin/core/ports/captured';
import type { LabelOutcome } from '@serin/core/ports/telemetry';
import { expect, test } from 'vitest';
import { capturedPlan } from '../../../test/contract/captured-labels.ts';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { capturedLabels, recordLabels } from './captured-labels.ts';

const start = Date.UTC(2026, 10, 20, 12);
const maturityMs = 10 * minute;
const lagMs = 30 * minute;

const copy = (requestId: string | undefined, more: Partial<CapturedRequest> = {}): CapturedRequest => ({
  ...(requestId === undefined ? {} : { requestId }),
  ...{ at: start, deployment: 'v1', rows: [{ size: 1 }], answers: [1] },
  ...more,
});

/** Labels over copies that stand in memory, a few on a page. */
function opened({ id, prediction }: { id?: string; prediction?: string } = {}) {
  const clock = { now: start };
  const copies: CapturedRequest[] = [];
  const asked: CapturedQuery[] = [];
  const bucket = atOnce<Bucket>(memoryBucket());
  const plan = capturedPlan(id);
  const { labels: rule } = plan.rollout.guardrails;
  const labels = capturedLabels({
    ...{ bucket, lagMs, now: () => clock.now, mostRequests: 10 },
    planOf: async (endpoint) =>
      endpoint === 'e'
        ? { ...plan, rollout: { ...plan.rollout, guardrails: { labels: { ...rule, prediction } } as never } }
        : undefined,
    async captured(query): Promise<CapturedPage> {
      asked.push(query);
      const from = Number(query.cursor ?? 0);
      const found = copies.filter(({ at }) => at >= query.from && at < query.to);
      const next = from + 2;
      return { items: found.slice(from, next), ...(next < found.length ? { next: String(next) } : {}) };
    },
  });
  const tell = (...told: readonly (readonly [string, LabelOutcome])[]) =>
    labels.label(told.map(([requestId, outcome]) => ({ requestId, time: clock.now, outcome })));
  const read = (more: Partial<Parameters<typeof labels.labels>[0]> = {}) =>
    labels.labels({ ...{ endpoint: 'e', from: start, to: start + minute, tickMs: minute, maturityMs }, ...more });
  const close = () => {
    clock.now = start + hour + lagMs;
  };
  const counts = async () =>
    (await read()).flatMap(({ rows }) => rows.map(({ requests, labelled, wrong }) => [requests, labelled, wrong]));
  return { clock, copies, asked, bucket, labels, tell, read, close, counts };
}

test('a label waits for the copy of its request, and one of a request that nobody captured is in no tick', async () => {
  const { copies, tell, counts, close } = opened();

  expect(await tell(['a', { truth: 2 }], ['never captured', { truth: 2 }])).toEqual(['recorded', 'recorded']);
  copies.push(copy('a'), copy('b'), copy(undefined));
  close();

  expect(await counts()).toEqual([[3, 1, 1]]);
});

test('a truth says nothing of an answer that is not there, or not read; the word of the sender does', async () => {
  const { copies, tell, counts, close } = opened();
  copies.push(
    copy('lost', { answers: [], unanswered: true }),
    copy('unread', { rows: [], answers: [] }),
    copy('of another form', { answers: [] }),
    copy('judged by the sender', { answers: [], unanswered: true }),
  );
  await tell(
    ['lost', { truth: 1 }],
    ['unread', { truth: 1 }],
    ['of another form', { truth: 1 }],
    ['judged by the sender', { wrong: true }],
  );
  close();

  expect(await counts()).toEqual([[4, 2, 2]]);
});

test('a label is of one request: of those with one id the first that was routed', async () => {
  const { copies, tell, counts, close } = opened();
  copies.push(copy('a', { at: start + 9, answers: [2] }), copy('a'), copy('a', { at: start + 5, answers: [2] }));
  await tell(['a', { truth: 1 }]);
  close();

  expect(await counts()).toEqual([[3, 1, 0]]);
});

test('a label is in time by when it was received, however late it is looked up', async () => {
  const { clock, copies, tell, counts, close } = opened();
  copies.push(copy('in time'), copy('late'));
  clock.now = start + minute + maturityMs - 1;
  await tell(['in time', { wrong: false }]);
  clock.now += 1;
  await tell(['late', { wrong: true }]);
  close();

  expect(await counts()).toEqual([[2, 1, 0]]);
});

test('an hour of ticks is answered at once when the hour is over, its labels are ripe and its copies are there', async () => {
  const { clock, read, asked } = opened();
  const starts = async (more: object) => (await read(more)).map((tick) => (tick.start - start) / minute);
  const two = { from: start + 58 * minute, to: start + 62 * minute };

  clock.now = start + hour + lagMs - 1;
  expect(await starts(two)).toEqual([]);
  expect(asked).toEqual([]);
  clock.now += 1;
  expect(await starts(two)).toEqual([58, 59]);
  expect(asked).toMatchObject([{ from: two.from, to: start + hour, fields: ['size', 'order'] }]);
  expect(await starts({ maturityMs: lagMs - 5 * minute + 1 })).toEqual([]);
  expect(await starts({ to: start + 3 * hour, tickMs: 2 * hour })).toEqual([]);
  clock.now += hour;
  expect(await starts({ to: start + 3 * hour, tickMs: 2 * hour })).toEqual([0]);
});

test('copies that may still come are waited for, and a window that is forgotten is refused', async () => {
  const { bucket, close, clock } = opened();
  close();
  for (const code of ['unavailable', 'invalid'] as const) {
    const labels = capturedLabels({
      ...{ bucket, lagMs, now: () => clock.now, planOf: async () => undefined },
      captured: async () => {
        throw new Fault(code, 'not now');
      },
    });
    const query = { endpoint: 'e', from: start, to: start + minute, tickMs: minute, maturityMs };

    await expect(labels.labels(query)).rejects.toMatchObject({ code });
  }
});

test('a field of the request names it where the config says so, and only its first row', async () => {
  const { copies, tell, counts, close } = opened({ id: 'order' });
  copies.push(
    copy('p1', { rows: [{ order: 'o-1' }, { order: 'o-2' }], answers: [1, 2] }),
    copy('p2', { rows: [{ order: 3 }] }),
    copy('p3', { rows: [{ size: 3 }] }),
    copy('p4', { rows: [{ order: '' }] }),
  );
  await tell(['o-1', { truth: 1 }], ['o-2', { truth: 1 }], ['3', { truth: 1 }], ['p3', { truth: 1 }]);
  close();

  expect(await counts()).toEqual([[4, 2, 0]]);
});

test.each([
  ['of the only value', undefined, [{ score: 0.5 }], '0.5'],
  ['of a list around the answer', '/predictions/0/class', [{ class: 'a', score: 0.5 }], 'a'],
  ['of the outputs', '/outputs/0/class', [{ class: 'a', score: 0.5 }], 'a'],
  ['inside of the answer', '/class', [{ class: 'a', score: 0.5 }], 'a'],
])('a prediction is found by the pointer %s', async (_, prediction, answers, truth) => {
  const { copies, tell, counts, close } = opened(prediction === undefined ? {} : { prediction });
  copies.push(copy('a', { answers }), copy('b', { answers }));
  await tell(['a', { truth }], ['b', { truth: 'another' }]);
  close();

  expect(await counts()).toEqual([[2, 2, 1]]);
});

test('a prediction is found by the pointer of what judges the champion, where no rollout is judged by labels', async () => {
  const { bucket, clock, copies, tell, close } = opened();
  const plan = capturedPlan();
  const judged = { ...plan, monitor: { ...plan.monitor, performance: { prediction: '/class' } as never } };
  const { labels } = capturedLabels({
    ...{ bucket, lagMs, now: () => clock.now, planOf: async () => judged },
    captured: async () => ({ items: copies }),
  });
  copies.push(
    copy('a', { answers: [{ class: 'a', score: 0.5 }] }),
    copy('b', { answers: [{ class: 'b', score: 0.5 }] }),
  );
  await tell(['a', { truth: 'a' }], ['b', { truth: 'another' }]);
  close();

  const [tick] = await labels({ endpoint: 'e', from: start, to: start + minute, tickMs: minute, maturityMs });

  expect(tick?.rows).toMatchObject([{ requests: 2, labelled: 2, wrong: 1 }]);
});

test('labels of deployments of which another share is captured are not compared, and those of one are told', async () => {
  const { bucket, clock, close } = opened();
  const shares: Record<string, number> = { v1: 10, v2: 100 };
  close();
  const { labels } = capturedLabels({
    ...{ bucket, lagMs, now: () => clock.now, planOf: async () => undefined },
    captured: async () => ({ items: [] }),
    captureShares: async () => shares,
  });
  const read = (...compared: readonly string[]) =>
    labels({ ...{ endpoint: 'e', from: start, to: start + minute, tickMs: minute, maturityMs }, compared });

  await expect(read('v2', 'v1')).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('100 % of v2 and 10 % of v1 are captured'),
  });
  await expect(read('v2', 'v3')).rejects.toThrow('0 % of v3');
  expect([(await read('v1')).length, (await read()).length]).toEqual([1, 1]);
  shares.v2 = 10;
  expect(await read('v2', 'v1')).toHaveLength(1);
});

test('what no known deployment answered counts nowhere', async () => {
  const { copies, counts, close } = opened();
  const { deployment: _, ...unknown } = copy('a');
  copies.push(unknown, copy('b'));
  close();

  expect(await counts()).toEqual([[1, 0, 0]]);
});

test('of more copies than are looked up in one go fewer ticks are answered, and one tick of them is refused', async () => {
  const { copies, read, close } = opened();
  const seconds = Array.from({ length: 6 }, (_, index) => copy(undefined, { at: start + index }));
  copies.push(...seconds, ...seconds.map((request) => ({ ...request, at: request.at + minute })));
  close();

  const found = await read({ to: start + 2 * minute });
  copies.push(...seconds);

  expect(found.map(({ rows }) => rows[0]?.requests)).toEqual([6]);
  await expect(read()).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('share') });
});

test('no id and no answer of a request is in what is stored', async () => {
  const { bucket, tell } = opened();
  await tell(['order/of ann', { truth: 'cat' }]);

  const { items } = await bucket.list('');

  expect(items.map(({ key }) => key)).toEqual([
    expect.stringMatching(new RegExp(`^${labelsPrefix}[0-9a-f]{64}\\.json$`)), // which is forgotten
  ]);
  const [{ key = '' } = {}] = items;
  const { content = new Uint8Array() } = (await bucket.read({ key, maxBytes: 1000 })) ?? {};
  expect(new TextDecoder().decode(content)).not.toContain('ann');
});

test('a label whose write was answered by chance as one that is there is recorded all the same', async () => {
  const { bucket } = opened();
  const lost: Bucket = {
    ...bucket,
    async write(key, content, condition) {
      await bucket.write(key, content, condition);
      return 'exists';
    },
  };
  const label = recordLabels({ bucket: lost, now: () => start });
  const told = [{ requestId: 'r', time: start, outcome: { wrong: false } }] as const;

  expect([await label(told), await label(told)]).toEqual([['recorded'], ['duplicate']]);
});

test('a label that cannot be written is not said to be recorded, and can be sent again with the others', async () => {
  const { bucket, labels } = opened();
  let broken = true;
  const flaky: Bucket = {
    ...bucket,
    write: (key, content, condition) =>
      broken && key.startsWith('labels/_requests/8')
        ? Promise.reject(new Fault('unavailable', 'the store does not answer'))
        : bucket.write(key, content, condition),
  };
  const label = recordLabels({ bucket: flaky, now: () => start });
  const told = Array.from({ length: 100 }, (_, index) => ({
    ...{ requestId: `r${index}`, time: start, outcome: { wrong: false } },
  }));

  await expect(label(told)).rejects.toMatchObject({ code: 'unavailable' });
  broken = false;
  const again = await label(told);

  expect(again).toContain('recorded');
  expect(await labels.label(told)).toEqual(told.map(() => 'duplicate'));
});
