import { randomUUID } from 'node:crypto';
import { Fault } from '@serin/core/base/fault';
import { decodeText, encodeText, sha256Hex } from '@serin/core/base/json';
import { pointedAt } from '@serin/core/base/pointer';
import { hour, instant, minute } from '@serin/core/base/time';
import type { ModelPlan } from '@serin/core/config/config';
import { predictionIn } from '@serin/core/config/performance';
import type { Bucket } from '@serin/core/ports/bucket';
import type { CapturedRequest } from '@serin/core/ports/captured';
import type { Label, LabelAnswer, Labels, LabelTick, Telemetry } from '@serin/core/ports/telemetry';
import type { CaptureTimes } from './captured.ts';
import { notYet } from './faults.ts';
import { type LabelledRequest, openLabelTick, outcomeOf, outcomeText, type StoredOutcome } from './label-outcomes.ts';
import { onlyValue, type Prediction } from './prediction.ts';
import { checkLabelled, checkLabels } from './telemetry.ts';

type Plan = Pick<ModelPlan, 'monitor' | 'rollout'>;

interface Options {
  /** The own bucket: labels are there. */
  readonly bucket: Bucket;
  readonly now: () => number;
}

interface ReadOptions extends Options, Pick<Telemetry, 'captured' | 'captureShares'>, Pick<CaptureTimes, 'lagMs'> {
  /** Under which its requests are captured, and named. */
  readonly planOf: (endpoint: string) => Promise<Plan | undefined>;
  /** What one invocation has time to look up. */
  readonly mostRequests?: number;
}

/** Where labels lie in the own bucket, each under the hash of its request: no model has such a name. */
const folder = 'labels/_requests/';
const keyOf = (requestId: string): string => `${folder}${sha256Hex(requestId)}.json`;

/** A label as an object. The id of its request is nowhere but in its key. */
interface Stored {
  /** Tells a label that was written from one that was there: the bucket may not know which call has written it. */
  readonly by: string;
  readonly received: number;
  readonly time: number;
  readonly outcome: string;
}

/** Calls to the bucket that are under way together. */
const callsAtOnce = 32;
const maxLabelBytes = 16_000;

/**
 * Records labels as objects of the own bucket, each written once: two that come at the same time are told apart by the
 * bucket. Of a request that is not known yet nothing can be said, so no label is `unknown` or `late`.
 */
export const recordLabels =
  ({ bucket, now }: Options): Labels['label'] =>
  async (labels) => {
    checkLabels(labels);
    const record = async ({ requestId, time, outcome }: Label): Promise<LabelAnswer> => {
      const key = keyOf(requestId);
      const stored: Stored = { by: randomUUID(), received: now(), time, outcome: outcomeText(outcome) };
      const content = encodeText(JSON.stringify(stored));
      if ((await bucket.write(key, content, { ifAbsent: true })) === 'written') return 'recorded';
      const known = await readLabel(bucket, requestId);
      if (known === undefined) throw notYet('a label of the same request is just being forgotten');
      if (known.by === stored.by) return 'recorded';
      return known.outcome === stored.outcome ? 'duplicate' : 'conflict';
    };
    const answers: LabelAnswer[] = [];
    const byRequest = Map.groupBy(labels.entries(), ([, { requestId }]) => requestId);
    await eachOf([...byRequest.values()], async (ofOne) => {
      for (const [index, label] of ofOne) answers[index] = await record(label);
    });
    return answers;
  };

async function readLabel(bucket: Bucket, requestId: string): Promise<Stored | undefined> {
  const found = await bucket.read({ key: keyOf(requestId), maxBytes: maxLabelBytes });
  // Written by `recordLabels`.
  return found === undefined ? undefined : (JSON.parse(decodeText(found.content)) as Stored);
}

/** A label is written within a minute after it was received; the clocks of two functions are not further apart. */
const graceMs = 5 * minute;
const mostTicks = 50_000;

/**
 * Labels of captured requests: outcomes of the own bucket, joined to the copies of requests by their ids.
 *
 * A tick is closed when copies and labels are all there, and with the others of its hour, so that the copies of an hour
 * are read once: an answer has the ticks of one hour at most, or one longer tick. Its rows count copies, and have no weight.
 * A copy whose answer is not there, or that is not read, has no label that is a truth. Of several copies with one id in an
 * answer the first that was routed has the label. One without a deployment counts nowhere. Over 100,000 copies in one tick:
 * `invalid`.
 *
 * Labels of two deployments are compared only if the same share of their requests is captured: whoever is captured more
 * often has more labels that say wrong.
 */
export function capturedLabels(options: ReadOptions): Labels {
  const { bucket, now, captured, captureShares, lagMs, planOf, mostRequests = 100_000 } = options;

  async function read(query: Window & { readonly endpoint: string }, plan: Plan | undefined) {
    const { endpoint, from, to, tickMs, maturityMs } = query;
    const ticks = ticksBetween(query);
    const fields = plan?.monitor.capture?.fields ?? [];
    const tickOf = (time: number) => ticks.get(Math.floor(time / tickMs) * tickMs);
    const labelled = new Map<string, Joined>();
    let requests = 0;
    let cursor: string | undefined;
    do {
      const page = await captured({ endpoint, from, to, fields, ...(cursor === undefined ? {} : { cursor }) });
      requests += page.items.length;
      if (requests > mostRequests) return undefined;
      await eachOf(page.items, async (request) => {
        const id = idOf(request, plan);
        const known = id === undefined ? undefined : await readLabel(bucket, id);
        const closes = Math.floor(request.at / tickMs) * tickMs + tickMs + maturityMs;
        if (id === undefined || known === undefined || known.received >= closes)
          return tickOf(request.at)?.count(request);
        const [first, later] = inOrder({ id, request, outcome: outcomeOf(known.outcome) }, labelled.get(id));
        labelled.set(id, first);
        if (later !== undefined) tickOf(later.request.at)?.count(later.request);
      });
      cursor = page.next;
    } while (cursor !== undefined);
    for (const { request, outcome } of [...labelled.values()].sort(byRoute))
      tickOf(request.at)?.count(request, outcome, plan);
    return [...ticks.values()].map(({ close }) => close());
  }

  return {
    label: recordLabels({ bucket, now }),
    async labels(query) {
      checkLabelled(query, mostTicks);
      const window = closedHour(query, now() - Math.max(query.maturityMs + graceMs, lagMs));
      if (window === undefined) return [];
      const { endpoint, compared = [] } = query;
      if (compared.length > 1) checkShares(compared, await captureShares?.(endpoint));
      const plan = await planOf(endpoint);
      const { from, tickMs } = window;
      for (let to = window.to; ; ) {
        const found = await read({ ...window, endpoint, to }, plan);
        if (found !== undefined) return found;
        const ticks = Math.floor((to - from) / tickMs / 2);
        if (ticks === 0)
          throw new Fault(
            'invalid',
            `cannot read the labels of ${endpoint} since ${instant(from)}: over ${mostRequests} requests were captured in one tick; lower monitor.capture.share, or the tick`,
          );
        to = from + ticks * tickMs;
      }
    },
    labelTotals: async () => undefined,
  };
}

function checkShares(compared: readonly string[], shares: Readonly<Record<string, number>> | undefined): void {
  if (shares === undefined || new Set(compared.map((deployment) => shares[deployment] ?? 0)).size === 1) return;
  const each = compared.map((deployment) => `${shares[deployment] ?? 0} % of ${deployment}`).join(' and ');
  throw new Fault(
    'invalid',
    `labels cannot be compared: of the requests ${each} are captured, as monitor.capture was when each was deployed; promote or abort the rollout, and the next one compares them`,
  );
}

interface Joined {
  readonly id: string;
  readonly request: CapturedRequest;
  readonly outcome: StoredOutcome;
}

const byRoute = (one: Joined, other: Joined): number =>
  one.request.at - other.request.at || (one.id < other.id ? -1 : 1);

const inOrder = (one: Joined, other: Joined | undefined): readonly [Joined, Joined | undefined] =>
  other === undefined || one.request.at < other.request.at ? [one, other] : [other, one];

type Window = Omit<Parameters<Labels['labels']>[0], 'endpoint'>;

/** The closed ticks of the first hour of a window, or its first tick where that goes on over the hour. */
function closedHour({ from, to, tickMs, ...more }: Window, closedUntil: number): Window | undefined {
  const first = Math.ceil(from / tickMs) * tickMs;
  const hourEnd = (Math.floor(first / hour) + 1) * hour;
  const end = Math.max(first + tickMs, Math.floor(Math.min(to, hourEnd) / tickMs) * tickMs);
  if (end > to || Math.max(end, hourEnd) > closedUntil) return undefined;
  return { ...more, from: first, to: end, tickMs };
}

function ticksBetween({ from, to, tickMs, truths }: Window) {
  const starts = Array.from({ length: Math.round((to - from) / tickMs) }, (_, index) => from + index * tickMs);
  return new Map(starts.map((start) => [start, countedTick(start, truths)]));
}

function countedTick(
  start: number,
  truths: Window['truths'],
): {
  count(request: CapturedRequest, outcome?: StoredOutcome, plan?: Plan): void;
  close(): LabelTick;
} {
  const tick = openLabelTick(start, truths);
  return {
    count(request, outcome, plan) {
      const { deployment } = request;
      if (deployment !== undefined) tick.add({ deployment, ...answerOf(request, plan) }, outcome);
    },
    close: tick.close,
  };
}

/** Longer texts of a request are cut, and no label has a longer id. */
const longestId = 200;

/** By which a label names a request: the field of the config, or the id that the caller knows. */
function idOf({ requestId, rows }: CapturedRequest, plan: Plan | undefined): string | undefined {
  const field = plan?.monitor.capture?.id;
  if (field === undefined) return requestId;
  const value = Object(rows[0])[field];
  const id = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return id.length > 0 && id.length <= longestId ? id : undefined;
}

/** What an answer to the first row says. Whether it was an error is not captured. */
function answerOf(
  { rows, answers, unanswered }: CapturedRequest,
  plan: Plan | undefined,
): Omit<LabelledRequest, 'deployment'> {
  if (rows.length === 0 || unanswered) return { errored: false, unseen: true };
  const prediction = predictionOf(answers, plan && predictionIn(plan));
  return { errored: false, ...(prediction === undefined ? {} : { prediction }) };
}

/** Answers were read out of what held them, so a pointer may begin there or inside of one. */
function predictionOf([...answers]: readonly unknown[], pointer: string | undefined): Prediction | undefined {
  const [first] = answers;
  if (pointer === undefined) return onlyValue(first);
  const held = { predictions: answers, outputs: answers, prediction: first };
  return onlyValue(pointedAt(held, pointer) ?? pointedAt(first, pointer));
}

/** Each item once, some of them at the same time. */
async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const workers = Array.from({ length: callsAtOnce }, async () => {
    for (const item of waiting) await work(item);
  });
  await Promise.all(workers);
}
