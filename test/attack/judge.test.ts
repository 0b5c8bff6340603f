import type { ModelPlan } from '@serin/core/config/config';
import { describe, expect, test } from 'vitest';
import { canonical, sha256Hex } from '../../packages/core/src/base/json.ts';
import { checkLabels } from '../../packages/core/src/judge/checks.ts';
import { noEvidence } from '../../packages/core/src/judge/evidence.ts';
import { forecastOf, rolloutWarnings } from '../../packages/core/src/judge/forecast.ts';
import {
  converge,
  driver,
  fakeEndpoint,
  healthy,
  planOf,
  score,
  serveTicks,
  trainOne,
} from '../../packages/core/src/model/model.fixture.ts';
import {
  challenge,
  type GivenModel,
  type GivenRollout,
  noLatency,
  percentiles,
  rolloutOf,
  until,
  type World,
} from '../../packages/core/src/model/rollout/judge.fixture.ts';
import { verifyRollout } from '../../packages/core/src/model/rollout/verify.ts';
import type { Entry } from '../../packages/core/src/ports/journal.ts';
import type { LabelTick, Tick } from '../../packages/core/src/ports/telemetry.ts';
import { openWorld } from '../api/world.ts';

/** A champion, and a challenger whose rollout has just begun. */
const begun = (rollout: GivenRollout = {}, model: GivenModel = {}, more: Partial<ModelPlan> = {}) =>
  challenge({ ...planOf({ ...model, rollout: { bake: '5m', guard: '5m', ...rollout } }), ...more });

const ended = ['promoted', 'rolledBack', 'aborted'] as const;

const verified = ({ drive }: World, entries: readonly Entry[] = drive.entries) =>
  verifyRollout(entries, rolloutOf({ drive }).id);

/** The next minute, as a platform counted it. */
function read({ drive }: World, tickOf: (start: number) => Tick): void {
  for (let waited = 0; waited < 3 && drive.owed('readTicks').length === 0; waited += 1) drive.wait(60_000);
  const order = drive.owed('readTicks')[0];
  if (order?.kind !== 'readTicks') throw new Error('no ticks are owed');
  const ticks = Array.from({ length: (order.to - order.from) / 60_000 }, (_, index) =>
    tickOf(order.from + index * 60_000),
  );
  drive.answer('readTicks', { type: 'ticksRead', from: order.from, to: order.to, ticks });
}

describe('latency that the platform does not measure', () => {
  const unmeasured = (start: number): Tick => ({
    start,
    counts: {
      v1: { requests: 3000, bad: { errors: 0 } },
      v2: { requests: 3000, bad: { errors: 0 } },
    },
  });

  test('is shown as not judged, and keeps no healthy candidate from its certificate', () => {
    const given = begun({ steps: [50] });
    until(given, healthy, 'baking');

    for (let tick = 0; tick < 8 && rolloutOf(given).status === 'baking'; tick += 1) read(given, unmeasured);

    const { status, certificate } = rolloutOf(given);
    expect(status).toBe('promoting');
    expect(certificate).toMatchObject({ verdict: 'promotion' });
    expect(certificate?.conditions.join('\n')).toMatch(/latency: not judged, the platform does not measure it/);
    expect(certificate?.sentence).not.toMatch(/slower/);
  });
});

describe('labels', () => {
  const labels = { maturity: '10m', floor: 0.01 } as const;
  /** At a weight of 10 % the candidate gets 30 % of the requests, and is wrong as often as the champion. */
  const labelsAt = (start: number): LabelTick => ({
    start,
    rows: [
      { deployment: 'v2', weight: 10, requests: 1800, labelled: 1800, wrong: 180 },
      { deployment: 'v1', weight: 90, requests: 4200, labelled: 4200, wrong: 420 },
    ],
    losses: [],
    pairs: {},
  });

  test('under routing by capacity are weighed by the share that came: an equal candidate stays', () => {
    const given = begun({ routing: 'realised', strategy: 'ab', split: 10, guardrails: { latency: false, labels } });
    until(given, healthy, 'baking');
    given.drive.wait(16 * 60_000);
    const order = given.drive.owed('readLabels')[0];
    if (order?.kind !== 'readLabels') throw new Error('no labels are owed');

    const ticks = Array.from({ length: 3 }, (_, index) => labelsAt(order.from + index * 60_000));
    given.drive.answer('readLabels', { type: 'labelsRead', from: order.from, to: order.from + 180_000, ticks });

    expect(rolloutOf(given)).toMatchObject({ status: 'baking', evidence: { labels: { labelled: 18_000 } } });
    expect(verified(given).problems).toEqual([]);
  });

  test('of sticky users are no evidence: requests of one user are not independent', () => {
    // The config refuses both together; a version may have been released under an older one.
    const { serve } = planOf({ serve: { command: ['node', 'serve.mjs'], stickyBy: 'x-user' } });
    const given = begun({ guardrails: { latency: false, labels } }, {}, { serve });
    until(given, healthy, 'baking');
    until(given, { ...healthy, wrong: { v2: 0.5 } }, 'held', ...ended);

    const { status, evidence } = rolloutOf(given);
    given.drive.say({ type: 'abortRequested' });

    expect(status).toBe('held');
    expect(given.drive.entries.length).toBeLessThan(400);
    expect(evidence.streams.labels).toBeUndefined();
    expect(rolloutOf(given).certificate?.conditions.join('\n')).toMatch(/labels: not judged, .*users stay/);
  });

  test('that cannot be are refused by name: pairs, weights, and losses at a weight that is none', () => {
    const with_ = (change: Partial<LabelTick>): LabelTick => ({ ...labelsAt(0), ...change });
    const check = (change: Partial<LabelTick>) => () => checkLabels(with_(change));

    expect(check({ pairs: { v2: { mirror: -1, served: 0 } } })).toThrow(/pairs .* of v2/);
    expect(check({ pairs: { v2: { mirror: 0.5, served: 0 } } })).toThrow(/pairs .* of v2/);
    expect(check({ losses: [{ deployment: 'v2', weight: Number.NaN, loss: 0.1 }] })).toThrow(/weight of v2/);
    expect(check({ rows: [{ deployment: 'v2', weight: -5, requests: 1, labelled: 1, wrong: 0 }] })).toThrow(/weight/);
    expect(check({})).not.toThrow();
  });

  test('that cannot be are refused by name: truths that are not among the labels of their row, and sums that are none', () => {
    const classes = { truePositives: 3, falsePositives: 1, falseNegatives: 1, trueNegatives: 2 };
    const errors = { numbers: 2, unknown: 1, absolute: 3, squares: 5, fourths: 17 };
    const row = { deployment: 'v2', weight: 50, requests: 10, labelled: 7, wrong: 3 };
    const check = (more: Partial<LabelTick['rows'][number]>) => () =>
      checkLabels({ ...labelsAt(0), rows: [{ ...row, ...more }] });

    expect(check({ classes, errors })).not.toThrow();
    for (const change of [{ truePositives: 5 }, { falsePositives: 3 }, { trueNegatives: 3 }, { falseNegatives: -1 }])
      expect(check({ classes: { ...classes, ...change } })).toThrow(/truths of v2/);
    for (const change of [
      { numbers: 3 },
      { unknown: 0.5 },
      { squares: Number.NaN },
      { absolute: -1 },
      { fourths: 1 / 0 },
    ])
      expect(check({ errors: { ...errors, ...change } })).toThrow(/truths of v2/);
  });
});

describe('a certificate of losses', () => {
  const loss = { errors: false, latency: false, labels: { kind: 'loss', marginLoss: 0.2, maturity: '10m' } } as const;

  test('shows the evidence that decided, and calls no prediction wrong that nobody called so', () => {
    const given = begun({ strategy: 'ab', atMost: '3h', guardrails: loss });

    const { certificate, evidence } = until(given, { ...healthy, loss: { v1: 0.2, v2: 0.2 } }, 'promoted', 'held');

    expect(certificate?.verdict).toBe('promotion');
    expect(certificate?.guardrails[0]?.streams[0]).toMatchObject({
      logE: evidence.labels?.harm.logK,
      logSafe: evidence.labels?.safety.logK,
    });
    expect(certificate?.guardrails[0]?.streams[0]?.cells).toEqual({});
    expect(certificate?.sentence).not.toMatch(/wrong predictions/);
    expect(certificate?.sentence).toMatch(
      /^Promoted after 12 minutes of evidence: on [\d,]+ labelled predictions of both models the candidate's average loss was .*; if the candidate were worse by at least 0.2 in its average loss, it would/,
    );
  });
});

describe('a platform that does not answer', () => {
  test('with the latency of the champion does not take back a candidate that is ready', () => {
    const given = begun();
    converge(given.drive, given.endpoint);
    for (let tries = 0; tries < 20 && rolloutOf(given).status === 'deploying'; tries += 1) {
      if (given.drive.owed('readLatency').length > 0)
        given.drive.answer('readLatency', { type: 'effectFailed', because: 'throttled' });
      given.drive.wait(60_000);
    }

    const rollout = until(given, healthy, ...ended);

    expect(rollout).toMatchObject({ status: 'promoted', certificate: { verdict: 'promotion' } });
    expect(rollout.certificate?.conditions.join('\n')).toMatch(/latency: not judged, .* could not be read/);
  });

  test('with counts any more ends the bake and the guard all the same', () => {
    for (const status of ['baking', 'guarding'] as const) {
      const given = begun({ ...noLatency, maxHold: '2h' });
      until(given, healthy, status);
      for (let waited = 0; waited < 30 && rolloutOf(given).status === status; waited += 1) {
        if (given.drive.owed('readTicks').length > 0)
          given.drive.answer('readTicks', { type: 'effectFailed', because: 'no tick has closed yet' });
        given.drive.wait(10 * 60_000);
      }
      converge(given.drive, given.endpoint);

      expect(rolloutOf(given)).toMatchObject({ status: 'rolledBack', because: { kind: 'hold' } });
      expect(rolloutOf(given).certificate?.sentence).toMatch(/no tick could be read for maxHold \(2h\)/);
      expect(verified(given).problems).toEqual([]);
    }
  });

  test('with numbers for percentiles leaves latency unjudged, and nothing in the state that is no number', () => {
    const given = begun();

    given.drive.answer('readLatency', { type: 'latencyRead', percentiles: { ...percentiles, p99: Number.NaN } });

    expect(rolloutOf(given).latency).toBe('none');
    expect(JSON.stringify(given.drive.state)).not.toMatch(/null/);
  });
});

describe('a person', () => {
  test('who has looked at a shift of the predictions and resumes gets the first step', () => {
    const given = begun({ ...noLatency, strategy: 'shadow', steps: [50] });
    const shifted = { ...healthy, pairs: { mirror: 0, served: 0, higher: 40, lower: 10 } };
    until(given, shifted, 'held');

    given.drive.say({ type: 'resumeRequested' });

    expect(until(given, shifted, 'held', ...ended)).toMatchObject({
      status: 'promoted',
      certificate: { verdict: 'promotion' },
    });
    expect(verified(given).problems).toEqual([]);
  });

  test('who only wants shifts noted reads of one in the story', () => {
    const given = begun({ ...noLatency, strategy: 'shadow', steps: [50], onPredictionShift: 'note' });

    const rollout = until(given, { ...healthy, pairs: { mirror: 0, served: 0, higher: 40, lower: 10 } }, 'shifting');

    expect(rollout.story.map(({ text }) => text).join('\n')).toMatch(/noted: of \d+ pairs .* is higher in \d+/);
    until(given, healthy, ...ended);
    expect(verified(given).problems).toEqual([]);
  });

  test('who resumes under a freeze gets no more traffic for the candidate', () => {
    const given = begun({ ...noLatency, strategy: 'shadow', steps: [50] });
    until(given, { ...healthy, pairs: { mirror: 0, served: 0, higher: 40, lower: 10 } }, 'held');
    const plan = given.drive.state.plan;
    given.drive.say({ type: 'configReleased', revision: 2, plan, freeze: { by: 'ann', because: 'holidays' } });

    given.drive.say({ type: 'resumeRequested' });

    expect(rolloutOf(given)).toMatchObject({ status: 'baking', step: 0 });
  });
});

test('a guard that saw nothing, as requests went elsewhere than configured, says so', () => {
  const given = begun({ ...noLatency, maxHold: '1h' });
  until(given, healthy, 'guarding');

  const rollout = until(given, { ...healthy, skew: 0.5 }, ...ended);

  expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'hold' } });
  expect(rollout.story.map(({ text }) => text).join('\n')).toMatch(
    /the guard saw nothing: the requests were not shared out as configured/,
  );
  expect(verified(given).problems).toEqual([]);
});

describe('sentences', () => {
  test('under routing by capacity name no weight, because none was kept', () => {
    const given = begun({ ...noLatency, routing: 'realised', steps: [10, 50], warmUp: 0 });
    until(given, healthy, 'baking');

    for (let minute = 0; minute < 2; minute += 1)
      read(given, (start) => ({
        start,
        counts: {
          v1: { requests: 4000, bad: { errors: 4 } },
          v2: { requests: 2000, bad: { errors: 30 } },
        },
      }));

    const { certificate } = rolloutOf(given);
    expect(certificate?.sentence).toMatch(
      /^Rolled back after 2 minutes of evidence: 1.5 % of the candidate's 4,000 requests failed \(60\), and 0.1 % of the champion's 8,000 \(8\); /,
    );
    expect(certificate?.sentence).not.toMatch(/% of the traffic/);
  });

  test('do not blame the champion for what was never asked of it', () => {
    const first = driver(planOf({ rollout: { guard: '2m' } }));
    const endpoint = fakeEndpoint();
    trainOne(first, 'one');
    score(first, 0.8);
    converge(first, endpoint);
    first.say({ type: 'abortRequested' });
    const all = begun({ strategy: 'allAtOnce', guardrails: { latency: {} } });
    until(all, healthy, 'promoted');

    for (const drive of [first, all.drive])
      expect(rolloutOf({ drive }).certificate?.conditions.join('\n')).not.toMatch(/too few requests/);
  });

  test('end with one full stop, and count one tick as one', () => {
    const given = begun({ ...noLatency, warmUp: 1 });
    until(given, healthy, 'baking');

    given.drive.say({ type: 'abortRequested', because: 'it lies.' });

    const { certificate } = rolloutOf(given);
    expect(certificate?.sentence).toBe(
      "Aborted by ann: it lies; a person decided this, not a test, so there is no figure for how sure it is. Now: the champion, v1, gets all traffic again. You do not need to do anything. The candidate, v2, stays off; to offer it for another rollout: serin versions restore fraud 2 --because '<why>'.",
    );
    expect(certificate?.conditions).toContain(
      'a model that has just got more traffic is as fast as usual after 1 tick; until then its latency does not count',
    );
  });
});

test('a config whose labels mature after the last step has to be decided is warned of', () => {
  const warnings = (atMost: string) =>
    rolloutWarnings(
      planOf({ rollout: { ...noLatency, atMost, guardrails: { labels: { maturity: '2h' } } } }).rollout,
      false,
    );

  expect(warnings('1h')).toEqual([expect.stringMatching(/labels mature in 2h.*atMost \(1h\)/)]);
  expect(warnings('5h')).toEqual([]);
});

test('a forecast knows that segments and a mirror share the evidence of a guardrail', () => {
  const finds = (rollout: GivenModel['rollout']) => {
    const forecast = forecastOf(planOf({ rollout: { ...noLatency, steps: [50], ...rollout } }).rollout, 6000, 0.001);
    return forecast?.finds.find(({ stream }) => stream === 'errors')?.to ?? 1;
  };

  const plain = finds({});

  expect(
    finds({ segments: { by: 'country', values: ['de', 'fr', 'it', 'es', 'pl', 'nl', 'be', 'at'] } }),
  ).toBeGreaterThan(plain);
  expect(finds({ strategy: 'shadow' })).toBeGreaterThan(plain);
});

/** The same history, as one would write it who also wrote every hash after the change anew. */
function rewritten(entries: readonly Entry[]): readonly Entry[] {
  let previousHash = '';
  return entries.map(({ hash: _, ...entry }) => {
    const body = { ...entry, previousHash };
    previousHash = sha256Hex(canonical(body));
    return { ...body, hash: previousHash };
  });
}

/** Every number under these parts of an entry, as path. */
function* numbersOf(value: unknown, path: readonly string[]): Generator<readonly string[]> {
  if (typeof value === 'number') yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) yield* numbersOf(part, [...path, key]);
}

function changed(
  entry: Entry,
  path: readonly string[],
  change: (parent: Record<string, unknown>, key: string) => void,
) {
  const copy = structuredClone(entry);
  let parent = copy as unknown as Record<string, unknown>;
  for (const key of path.slice(0, -1)) parent = Object(parent[key]);
  change(parent, path.at(-1) ?? '');
  return copy;
}

describe('verify', () => {
  test('confirms a promotion whose guard has the weights of the last step', () => {
    for (const rollout of [{ steps: [10, 95] }, { steps: [50], guardShare: 50 }, { steps: [99], guardShare: 1 }]) {
      const given = begun({ ...noLatency, ...rollout });

      const { status } = until(given, healthy, ...ended);

      expect([status, verified(given).problems]).toEqual(['promoted', []]);
    }
  });

  test('confirms what a person promoted, also where the guard has the weights of the step', () => {
    const given = begun({ ...noLatency, steps: [50], guardShare: 50 });
    until(given, healthy, 'baking');
    read(given, (start) => ({ start, counts: { v2: { requests: 1, bad: { errors: 0 } } } }));

    given.drive.say({ type: 'promoteRequested' });

    expect(rolloutOf(given)).toMatchObject({ status: 'guarding', certificate: { verdict: 'none' } });
    expect(verified(given).problems).toEqual([]);
  });

  test('confirms pauses, freezes, long readings and a second rollout of the model', () => {
    const given = begun(noLatency);
    const { drive, endpoint } = given;
    until(given, healthy, 'baking');
    drive.say({ type: 'pauseRequested' });
    drive.wait(3 * 3600_000);
    serveTicks(drive, healthy, 2);
    drive.say({ type: 'resumeRequested' });
    const freeze = { by: 'ann', because: 'holidays', until: drive.now + 600_000 };
    drive.say({ type: 'configReleased', revision: 2, plan: drive.state.plan, freeze });
    until(given, healthy, ...ended);
    const first = rolloutOf({ drive }).id;
    converge(drive, endpoint);
    trainOne(drive, 'three');
    score(drive, 0.83, 0.82);

    const second = until(given, { ...healthy, failing: { v2: 0.001, v3: 0.03 } }, ...ended);

    expect(second).toMatchObject({ candidate: 3, status: 'rolledBack', certificate: { verdict: 'rollback' } });
    for (const id of [first, second.id]) expect(verifyRollout(drive.entries, id).problems).toEqual([]);
  });

  test('finds any one number that was changed in what decides, even where every hash was written anew', () => {
    const given = begun({ steps: [10, 50], bake: '2m', guard: '2m' });
    until(given, { ...healthy, failing: { v1: 0.001, v2: 0.012 } }, ...ended);
    const { entries } = given.drive;
    const decides = /\.(ticks|percentiles|evidence|certificate|latency)\./;
    const begins = entries.findIndex(({ patch }) => Object(patch).rollout?.id === rolloutOf(given).id);
    // When a weight was confirmed is a fact of the endpoint: no count says it.
    const confirmed = (type: unknown) => (type === 'ticksRead' ? /^$/ : /\.evidence\.(readTo|from)$/);

    const missed = entries.flatMap((entry, index) => {
      const { signal, patch } = entry as unknown as { signal: { type: string }; patch: { rollout?: unknown } };
      if (index < begins) return [];
      return [...numbersOf({ signal, patch: { rollout: patch.rollout } }, [])]
        .filter((path) => decides.test(`.${path.join('.')}.`) && !confirmed(signal.type).test(path.join('.')))
        .filter((path) => {
          const other = changed(entry, path, (parent, key) => {
            parent[key] = Number(parent[key]) + 1;
          });
          const history = rewritten(entries.map((each, at) => (at === index ? other : each)));
          return verified(given, history).verified;
        })
        .map((path) => `${entry.seq}: ${path.join('.')}`);
    });

    expect(missed).toEqual([]);
  }, 30_000);

  test('reports an entry that is missing, twice or mangled, and never gives up', () => {
    const given = begun({ ...noLatency, steps: [50], bake: '2m' });
    until(given, { ...healthy, failing: { v1: 0.001, v2: 0.03 } }, ...ended);
    const { entries } = given.drive;
    const histories: readonly unknown[][] = entries.slice(-13, -1).flatMap((entry, index) => {
      const at = entries.length - 13 + index;
      const instead = (...other: unknown[]) => [...entries.slice(0, at), ...other, ...entries.slice(at + 1)];
      const { patch: _, signal: __, ...bare } = entry;
      const empty = { ...entry, patch: { rollout: { evidence: null, certificate: 7, status: 'new' } } };
      return [instead(), instead(entry, entry), instead(bare), instead(null), instead('x'), instead(empty)];
    });

    for (const history of histories) {
      const found = verified(given, history as Entry[]);
      expect(found.verified).toBe(false);
      expect(found.problems.length).toBeGreaterThan(0);
    }
  });

  test('says how far a history goes: one whose end was cut off has not ended', () => {
    const given = begun({ ...noLatency, steps: [50], bake: '2m' });
    until(given, { ...healthy, failing: { v1: 0.001, v2: 0.03 } }, ...ended);
    const { entries } = given.drive;
    const decided = entries.findIndex((entry) => JSON.stringify(entry.patch).includes('"verdict":"rollback"'));

    expect(verified(given)).toMatchObject({ verified: true, status: 'rolledBack' });
    expect(verified(given, entries.slice(0, decided))).toMatchObject({ verified: true, status: 'baking' });
  });

  test('says of a rollout that older rules judged that it cannot judge it again', () => {
    const rollout = { id: 'ro_old', status: 'promoted', candidate: 1, evidence: { readTo: 0 } };
    const old = { stream: 'model/fraud', seq: 1, at: 0, patch: { schema: 1, rollout }, signal: { type: 'x' } };
    const [entry] = rewritten([{ ...old, actor: {}, events: [], previousHash: '', hash: '' } as unknown as Entry]);

    const found = verifyRollout(entry === undefined ? [] : [entry], 'ro_old');

    expect(found.problems).toEqual([
      'ro_old began under older rules (schema 1), which this version does not judge again',
    ]);
  });
});

describe('over the API', () => {
  /** Two versions of `fraud`, the second of which fails more and is taken back. */
  async function judged() {
    const world = await openWorld();
    world.failing.set('v2', 0.05);
    await world.release();
    await world.drop();
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 60 * 60_000);
    const { rollouts } = (await world.call('GET', '/v1/rollouts')).body;
    const [second, first] = rollouts.map(({ id }: { readonly id: string }) => id);
    const get = async (path: string, token?: string) =>
      world.call('GET', path, undefined, token === undefined ? {} : { token });
    return { world, get, first, second };
  }
  const streamOf = (name: string, cursor = '') =>
    `/v1/audit/entries?stream=${encodeURIComponent(name)}${cursor === '' ? '' : `&cursor=${cursor}`}`;

  test('each rollout is verified, by the server and from the entries that it hands out', async () => {
    const { get, first, second } = await judged();

    const [one, two] = [
      await get(`/v1/rollouts/${first}/verification`),
      await get(`/v1/rollouts/${second}/verification`),
    ];
    const { entries } = (await get(streamOf('model/fraud'))).body;

    expect(one.body).toMatchObject({ verified: true, problems: [], status: 'promoted' });
    expect(two.body).toMatchObject({ verified: true, status: 'rolledBack', recorded: { verdict: 'rollback' } });
    expect(verifyRollout(entries, second)).toEqual(two.body);
  });

  test('entries and verifications of a model are for tokens that may see it', async () => {
    const { world, get, second } = await judged();
    const [viewer, ours, theirs] = [
      await world.token('viewer'),
      await world.token('admin', ['fraud']),
      await world.token('admin', ['churn']),
    ];

    const answers = await Promise.all([
      get(streamOf('model/fraud'), viewer),
      get(streamOf('model/fraud'), ours),
      get(streamOf(`rollout/${second}`), ours),
      get(streamOf('project'), ours),
      get(streamOf('model/fraud'), theirs),
      get(streamOf(`rollout/${second}`), theirs),
      get(`/v1/rollouts/${second}/verification`, theirs),
      get(`/v1/rollouts/${second}/verification`, viewer),
      get(streamOf('model/fraud', 'x')),
      get(streamOf('model/none')),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([403, 200, 200, 403, 404, 404, 404, 200, 400, 404]);
  });

  test('a long stream is handed out whole, page by page', async () => {
    const { world, get } = await judged();
    const actor = { subject: 'ann', issuer: 'token', role: 'operator' } as const;
    for (let asked = 0; asked < 500; asked += 1)
      await world.engine.receive('model/fraud', {
        ...{ type: 'runRequested', trigger: { kind: 'manual' } },
        ...{ id: `again-${asked}`, at: world.now(), actor },
      });
    const whole: Entry[] = [];
    let cursor: string | undefined = '';
    for (let page = 0; cursor !== undefined && page < 50; page += 1) {
      const { body } = await get(streamOf('model/fraud', cursor));
      whole.push(...body.entries);
      cursor = body.next;
    }

    expect(whole.length).toBeGreaterThan(500);
    expect(whole.map(({ seq }) => seq)).toEqual(whole.map((_, index) => index + 1));
    expect(whole.length).toBe((await world.ports.journal.head('model/fraud'))?.seq);
  });
});

test('no evidence holds nothing that JSON would lose', () => {
  expect(JSON.parse(JSON.stringify(noEvidence(0)))).toEqual(noEvidence(0));
});

test('a forecast leaves the warm-up of each step out of latency, and none of it out of errors', () => {
  const found = (warmUp: number) => {
    const { rollout } = planOf({ rollout: { steps: [5, 50], bake: '10m', warmUp, guardrails: {} } });
    const forecast = forecastOf(rollout, 6000, 0.2);
    const to = (stream: string) => forecast?.finds.find((each) => each.stream === stream)?.to ?? 1;
    return { errors: to('errors'), p90: to('latency.p90') };
  };

  const [cold, warm] = [found(8), found(0)];

  expect(cold.errors).toBe(warm.errors);
  expect(cold.p90).toBeGreaterThan(warm.p90);
});

test('users who stay with their model are counted from one time on, whatever the weights do since', () => {
  const given = begun({ steps: [10, 50], warmUp: 1 }, { serve: { command: ['node', 's.mjs'], stickyBy: 'x-user' } });
  const since = () => {
    const [order] = given.drive.owed('readTicks');
    return order?.kind === 'readTicks' ? order.usersSince : undefined;
  };
  const asked = new Set<number | undefined>();
  until(given, healthy, 'baking');
  const { readTo } = rolloutOf(given).evidence;
  for (const step of [0, 1]) {
    until(given, healthy, 'baking');
    given.drive.wait(120_000);
    asked.add(since());
    if (step === 0) until(given, healthy, 'shifting', ...ended);
  }

  expect([...asked]).toEqual([readTo]);
});
