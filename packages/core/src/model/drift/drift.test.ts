import { describe, expect, test } from 'vitest';
import { without } from '../../base/objects.ts';
import { step } from '../../base/table.ts';
import { day, hour, instant } from '../../base/time.ts';
import { engineActor } from '../../ports/actors.ts';
import { goBack, noteStay, promoteChampion } from '../between/champion.ts';
import { applyRules } from '../between/rules.ts';
import { decideModel } from '../decide.ts';
import { underPlan } from '../machines.ts';
import { artifactOf, planOf } from '../model.fixture.ts';
import { monitorStart } from '../monitor/monitor.ts';
import type { ModelSignal } from '../protocol.ts';
import { scoreKey } from '../run/steps.ts';
import { type Model, modelStart } from '../state.ts';
import { beginDrift, type Drift, driftOwes, driftTable, driftWakes, planDrift } from './drift.ts';
import type { Counted, Judged } from './protocol.ts';
import { answersText, driftText, titleOf } from './text.ts';

const start = Date.UTC(2026, 0, 1, 18);
const midnight = Date.UTC(2026, 0, 2);
const judgedDaily = { capture: { share: '10%', fields: ['age', 'city'] }, drift: {} };
const plan = planOf({ monitor: judgedDaily });
const context = { model: 'fraud', plan, versions: {} };
const reference = { version: 1, reference: 'ref1' };
const counted: Counted = { counts: 'c1', rows: 1000 };
const clean: Judged = {
  evidence: 2,
  threshold: 365,
  columns: [{ name: 'age', size: 0.02, evidence: 2, missing: [0, 0] }],
  alarms: [],
};
const drifted: Judged = {
  evidence: 900,
  threshold: 365,
  columns: [{ name: 'age', size: 0.2, evidence: 900, missing: [0, 0] }],
  alarms: ['age'],
  level: 'major',
};

type Said<Known> = Known extends unknown ? Omit<Known, 'id' | 'actor' | 'key' | 'taken'> : never;
const say = (drift: Drift, said: Said<ModelSignal>): Drift => stepped(drift, said, context);
const stepped = (drift: Drift, said: Said<ModelSignal>, its: typeof context): Drift => {
  const signal = { id: 's', actor: engineActor, key: 'k', taken: 1, ...said } as ModelSignal;
  const done = step(driftTable, drift, signal, its);
  if (!('moved' in done)) throw new Error(`not moved: ${JSON.stringify(done)}`);
  return done.moved;
};
const tick = (drift: Drift, at: number) => say(drift, { type: 'clockTicked', at });
const judgeWindow = (drift: Drift, judged: Judged): Drift => {
  const ended = tick(drift, driftWakes(drift) ?? 0);
  const whole = say(ended, { type: 'capturedCounted', counted, at: ended.until });
  return say(whole, { type: 'driftJudged', detector: `d${whole.turn}`, judged, at: ended.until });
};

describe('a window of captured requests', () => {
  test('ends at a multiple of its length, and the first is at least half of one', () => {
    const evening = beginDrift(undefined, reference, start, plan);
    const morning = beginDrift(undefined, reference, start - 12 * hour, plan);

    expect([driftWakes(evening), driftWakes(morning)]).toEqual([midnight + day, midnight]);
  });

  test('is counted page by page, and then judged, and the next one begins where it ended', () => {
    const ended = tick(beginDrift(undefined, reference, start, plan), midnight + day);
    const [first] = driftOwes(ended, context);
    const half = say(ended, {
      type: 'capturedCounted',
      counted: { ...counted, rows: 30 },
      cursor: 'more',
      at: ended.until,
    });
    const [second] = driftOwes(half, context);
    const whole = say(half, { type: 'capturedCounted', counted, at: ended.until });
    const [judging] = driftOwes(whole, context);
    const done = say(whole, { type: 'driftJudged', detector: 'd1', judged: clean, at: ended.until });

    const window = { from: start, to: midnight + day };
    expect(first).toMatchObject({ kind: 'countCaptured', ...window, fields: ['age', 'city'], reference: 'ref1' });
    expect(first).not.toHaveProperty('cursor');
    expect(second).toMatchObject({ ...window, cursor: 'more', counted: { rows: 30 } });
    expect(judging).toMatchObject({ kind: 'judgeDrift', ...window, counted });
    expect(new Set([first?.key, second?.key, judging?.key]).size).toBe(3);
    expect(done).toMatchObject({
      status: 'collecting',
      from: midnight + day,
      until: midnight + 2 * day,
      detector: 'd1',
    });
    expect(done).not.toHaveProperty('counted');
  });

  test('with fewer than 50 rows is counted again together with the next one', () => {
    const ended = tick(beginDrift(undefined, reference, start, plan), midnight + day);
    const few = say(ended, { type: 'capturedCounted', counted: { counts: 'c', rows: 49 }, at: ended.until });
    const [order] = driftOwes(tick(few, midnight + 2 * day), context);

    expect(order).toMatchObject({ kind: 'countCaptured', from: start, to: midnight + 2 * day });
    expect(order).not.toHaveProperty('counted');
  });

  test('with too few rows says how many it has, until one is judged', () => {
    const ended = tick(beginDrift(undefined, reference, start, plan), midnight + day);
    const few = say(ended, { type: 'capturedCounted', counted: { counts: 'c', rows: 0 }, at: ended.until });
    const told = (drift: Drift) => driftText({ ...modelStart('fraud', plan, 1, start), drift }, midnight + day);

    expect(told(few)).toBe(
      'no window of requests was judged against the data of v1 yet; 0 rows captured since 2026-01-01 18:00:00 UTC, and 50 are needed: send requests that the model answers, or raise monitor.capture.share; the next window ends in 1d',
    );
    expect(told(judgeWindow(few, clean))).not.toContain('are needed');
  });

  test('says what was captured and not read, until all of a window is', () => {
    const unread = { requests: 9000, first: 'it is neither JSON nor JSON Lines' };
    const ended = tick(beginDrift(undefined, reference, start, plan), midnight + day);
    const few = say(ended, { type: 'capturedCounted', counted: { counts: 'c', rows: 0, unread }, at: ended.until });
    const told = (drift: Drift) => driftText({ ...modelStart('fraud', plan, 1, start), drift }, midnight + day);

    expect(told(few)).toBe(
      'no window of requests was judged against the data of v1 yet; 0 rows captured since 2026-01-01 18:00:00 UTC, and 50 are needed; the next window ends in 1d; 9,000 captured requests could not be read: the first because it is neither JSON nor JSON Lines',
    );
    expect(told(judgeWindow(few, clean))).not.toContain('could not be read');
  });

  test('is judged by no column that the config has off by then, whatever the reference has', () => {
    const its = {
      ...context,
      plan: planOf({ monitor: { ...judgedDaily, drift: { columns: { age: 'off' } } } }),
    };
    const ended = tick(beginDrift(undefined, reference, start, plan), midnight + day);
    const whole = say(ended, { type: 'capturedCounted', counted, at: ended.until });

    expect(driftOwes(ended, its)).toMatchObject([{ kind: 'countCaptured', fields: ['age', 'city'] }]);
    expect(driftOwes(whole, its)).toMatchObject([{ kind: 'judgeDrift', fields: ['city'] }]);
  });

  test('says which captured fields nothing is compared with, but for the one that names a request', () => {
    const its = {
      ...context,
      plan: planOf({ monitor: { capture: { ...judgedDaily.capture, id: 'city' }, drift: {} } }),
    };
    const ended = tick(beginDrift(undefined, reference, start, plan), midnight + day);
    const whole = say(ended, { type: 'capturedCounted', counted, at: ended.until });
    const judged = { ...clean, absent: ['age', 'city'] };
    const seen = stepped(whole, { type: 'driftJudged', detector: 'd', judged, at: ended.until }, its);

    expect(seen.absent).toEqual(['age']);
    expect(driftText({ ...modelStart('fraud', plan, 1, start), drift: seen }, midnight)).toMatch(
      /; not compared, as the training data has no such column: 'age'$/,
    );
    expect(judgeWindow(seen, clean)).not.toHaveProperty('absent');
  });

  test('is passed over where it is older than requests are kept, and the reason stays until one is judged', () => {
    const late = tick(beginDrift(undefined, reference, start, plan), start + 60 * day);
    const failed = say(late, { type: 'effectRefused', because: 'no such endpoint', at: late.until });

    // It is counted at once: a model wakes for no time that has passed.
    expect(late).toMatchObject({ status: 'counting', from: start + 46 * day + 2 * hour });
    expect(failed).toMatchObject({ status: 'collecting', from: late.until, because: 'no such endpoint' });
    expect(judgeWindow(failed, clean)).not.toHaveProperty('because');
  });

  test('that is pooled begins no earlier than with what is kept when it is read', () => {
    let drift = beginDrift(undefined, reference, start, plan);
    for (let days = 1; days < 20; days += 1) {
      const counting = tick(drift, driftWakes(drift) ?? 0);
      const readAt = counting.until + hour;
      expect(readAt - counting.from).toBeLessThanOrEqual(14 * day);
      drift = say(counting, { type: 'capturedCounted', counted: { counts: 'c', rows: 3 }, at: readAt });
    }
    expect(drift.until - drift.from).toBeGreaterThan(14 * day);
  });

  test('of as long as requests are kept loses little of it', () => {
    const its = {
      ...context,
      plan: planOf({ monitor: { ...judgedDaily, capture: { ...judgedDaily.capture, keep: '1d' } } }),
    };
    const begun = beginDrift(undefined, reference, midnight, its.plan);

    const counting = stepped(begun, { type: 'clockTicked', at: midnight + day }, its);

    expect(counting.status).toBe('counting');
    expect(counting.from - midnight).toBeLessThan(day / 90);
  });

  test('has beside it what its probabilities promise, or why they promise nothing', () => {
    const asked = planOf({ monitor: { ...judgedDaily, estimate: { probability: '' } } });
    const { evaluate } = asked;
    if (evaluate === undefined) throw new Error('no evaluate job');
    const [artifact, holdout] = [artifactOf('m'), { kind: 'artifact', artifact: artifactOf('h') } as const];
    const one = {
      ...{ number: 1, run: 'r', at: start, dataset: 'd', artifact, metrics: {}, holdout, evaluate },
      ...{ scores: { [scoreKey(artifact, holdout, evaluate)]: { calibration_error: 0.01 } } },
      ...{ serve: plan.serve, lineage: {} },
    };
    const its = { ...context, plan: asked, versions: { '1': one } };
    const window = (drift: Drift, rows: number): Drift => {
      const probabilities = { above: { rows, sum: 0.9 * rows }, below: { rows: 0, sum: 0 }, lacking: 0 };
      const ended = stepped(drift, { type: 'clockTicked', at: drift.until }, its);
      const whole = stepped(
        ended,
        { type: 'capturedCounted', counted: { ...counted, probabilities }, at: ended.until },
        its,
      );
      return stepped(whole, { type: 'driftJudged', detector: 'd', judged: clean, at: ended.until }, its);
    };

    const enough = window(beginDrift(undefined, reference, start, plan), 1000);
    const few = window(enough, 100);
    const again = window(few, 1000);

    expect(enough.windows[0]?.estimate).toMatchObject({ version: 1, rows: 1000, accuracy: 0.9, error: 0.01 });
    expect([enough, again].map((drift) => Object.hasOwn(drift, 'unestimated'))).toEqual([false, false]);
    expect(few.windows.map(({ estimate }) => estimate?.rows)).toEqual([1000, undefined]);
    expect(few.unestimated).toBe('it has 100 probabilities, and 200 are needed');
  });

  test('leaves what was seen in short, for the last sixty', () => {
    let drift = beginDrift(undefined, reference, start, plan);
    for (let count = 0; count < 65; count += 1) drift = judgeWindow(drift, clean);

    expect(drift.windows).toHaveLength(60);
    expect(drift.windows.at(-1)).toEqual({
      ...{ from: midnight + 64 * day, to: midnight + 65 * day, rows: 1000 },
      ...{ evidence: 2, threshold: 365, size: 0.02, alarms: [] },
    });
  });
});

describe('under other fields', () => {
  const under = (...fields: readonly string[]) =>
    planOf({ monitor: { ...judgedDaily, capture: { ...judgedDaily.capture, fields: [...fields] } } });
  const noon = midnight + day + 12 * hour;
  const release = (drift: Drift, now = under('city', 'age')) =>
    planDrift(drift, { plan: now, before: plan, at: noon }) ?? expect.fail('none');
  const open = judgeWindow(beginDrift(undefined, reference, start, plan), drifted);
  const counting = tick(open, open.until);

  test('no window has requests of before, whatever order the values of those came in', () => {
    for (const drift of [open, counting, say(counting, { type: 'capturedCounted', counted, at: noon })]) {
      const anew = release(drift);
      const [order] = driftOwes(tick(anew, driftWakes(anew) ?? 0), { ...context, plan: under('city', 'age') });

      expect(driftOwes(anew, context)).toEqual([]);
      expect(order).toMatchObject({
        kind: 'countCaptured',
        from: noon,
        to: midnight + 2 * day,
        fields: ['city', 'age'],
      });
      expect(order).not.toHaveProperty('counted');
      expect(anew).toMatchObject({ detector: drift.detector, incident: drift.incident });
    }
  });

  test('a part of a window that was counted is not gone on with', () => {
    const half = say(counting, { type: 'capturedCounted', counted, cursor: 'more', at: noon });
    const anew = release(half);
    const answer = {
      type: 'capturedCounted',
      counted,
      at: noon,
      id: 's',
      actor: engineActor,
      key: 'k',
      taken: 1,
    } as const;

    expect(step(driftTable, anew, answer, context)).not.toHaveProperty('moved');
    expect(anew).toMatchObject({ status: 'collecting', from: noon });
    expect(anew).not.toHaveProperty('cursor');
  });

  test('says since when requests count, until a window is judged; under the same ones nothing changes', () => {
    const anew = release(open);
    const told = driftText({ ...modelStart('fraud', plan, 1, start), drift: anew }, noon);

    expect(told).toContain(
      '; the last window could not be judged: monitor.capture.fields changed, so requests count from 2026-01-03 12:00:00 UTC on',
    );
    expect(judgeWindow(anew, clean)).not.toHaveProperty('because');
    expect(release(open, under('age', 'city'))).toBe(open);
  });

  test('the model that hears of a release does so', () => {
    const model: Model = { ...modelStart('fraud', plan, 1, start), drift: open };

    expect(underPlan({ ...model, plan: under('city') }, plan, noon).drift).toMatchObject({ from: noon });
    expect(underPlan({ ...model, plan: planOf() }, plan, noon)).not.toHaveProperty('drift');
  });
});

test('a model of ten thousand columns that all drift keeps little of them, however many windows there are', () => {
  const names = Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(100, 'x'));
  const missing: [number, number] = [0.123456789, 0.987654321];
  const columns = names.map((name) => ({ name, size: 0.123456789012345, evidence: 1e9, missing }));
  let drift = beginDrift(undefined, reference, start, plan);

  for (let count = 0; count < 100; count += 1)
    drift = judgeWindow(drift, { ...drifted, alarms: names, columns, uncalibrated: 'x'.repeat(300) });

  expect(JSON.stringify(drift).length).toBeLessThan(90_000);
});

describe('an incident', () => {
  const begun = beginDrift(undefined, reference, start, plan);

  test('opens once, keeps its largest size, and ends after three clean windows in a row', () => {
    const open = judgeWindow(begun, drifted);
    const larger = judgeWindow(open, {
      ...drifted,
      columns: [{ name: 'age', size: 0.4, evidence: 9, missing: [0, 0] }],
    });
    const wavers = judgeWindow(judgeWindow(judgeWindow(larger, clean), clean), { ...drifted, level: 'notice' });
    const over = judgeWindow(judgeWindow(judgeWindow(wavers, clean), clean), clean);

    expect(open.incident).toEqual({
      ...{ level: 'major', since: start, at: midnight + day, newsAt: midnight + day, version: 1 },
      ...{ columns: ['age'], size: 0.2, clean: 0 },
    });
    expect(larger.incident).toMatchObject({ since: start, size: 0.4 });
    expect(wavers.incident).toMatchObject({ clean: 0 });
    expect(over.incident).toBeUndefined();
  });

  test('is what the next window is judged by, and waits where a column that drifted has no row', () => {
    const open = judgeWindow(begun, drifted);
    const counting = tick(open, open.until);
    const judging = say(counting, { type: 'capturedCounted', counted, at: counting.until });
    const waits = judgeWindow(open, { ...clean, isSilent: true });

    expect(driftOwes(judging, context)[0]).toMatchObject({ kind: 'judgeDrift', isOpen: true });
    expect(waits.incident).toEqual(open.incident);
    expect(judgeWindow(open, clean).incident?.clean).toBe(1);
  });

  test('does not change by a verdict that comes twice', () => {
    const open = judgeWindow(begun, drifted);
    const judged = { type: 'driftJudged', detector: 'd', judged: clean, at: open.until } as const;
    const again = { ...judged, id: 's', actor: engineActor, key: 'k', taken: 1 } as ModelSignal;

    expect(step(driftTable, open, again, context)).not.toHaveProperty('moved');
  });

  test('stays open under a new champion, whose detector begins anew, and is a new one when it is seen again', () => {
    const open = judgeWindow(begun, drifted);
    const next = beginDrift(open, { version: 2, reference: 'ref2' }, open.from + hour, plan);
    const again = judgeWindow(next, drifted);

    expect(next).toMatchObject({ incident: open.incident, windows: open.windows });
    expect(next).not.toHaveProperty('detector');
    expect(again.incident).toMatchObject({ version: 2, since: start, newsAt: next.until });
  });
});

describe('the answers of the champion', () => {
  const begun = beginDrift(undefined, reference, start, plan);
  const seen = (rows: number, kept: string): Counted => ({ ...counted, answers: { kept, rows } });
  const window = (drift: Drift, its: Counted, made?: string, within = context) => {
    const counting = stepped(drift, { type: 'clockTicked', at: driftWakes(drift) ?? 0 }, within);
    const judging = stepped(counting, { type: 'capturedCounted', counted: its, at: counting.until }, within);
    const answer = { type: 'driftJudged', detector: 'd', judged: clean, at: judging.until } as const;
    const after = stepped(judging, { ...answer, ...(made === undefined ? {} : { answers: made }) }, within);
    const [count] = driftOwes(counting, within);
    const [judge] = driftOwes(judging, within);
    return { count, judge, after };
  };

  test('are sampled until there are a thousand of a whole window, and then compared with those', () => {
    const first = window(begun, seen(600, 's1'));
    const second = window(first.after, seen(500, 's2'), 'made');
    const third = window(second.after, seen(700, 'c3'));
    const fourth = window(third.after, counted);

    expect(first.count).toMatchObject({ answers: { of: 'v1' } });
    expect([first.judge, second.judge]).toMatchObject([{ answers: {} }, { answers: { freeze: { sample: 's2' } } }]);
    expect(first.judge).not.toHaveProperty('answers.freeze');
    expect(second.judge).toHaveProperty('answers.freeze.isShort');
    expect(second.count).toMatchObject({ answers: { of: 'v1', sample: 's1' } });
    expect(second.after.answers).toEqual({ since: start, until: midnight + 2 * day, rows: 1100, reference: 'made' });
    expect(third.count).toMatchObject({ answers: { of: 'v1', reference: 'made' } });
    expect(third.judge).toMatchObject({ answers: { reference: 'made' } });
    expect(third.after.answers).toEqual({ ...second.after.answers, counts: 'c3' });
    expect(fourth.after.answers).toEqual(second.after.answers);
  });

  test('are not enough after less than a whole window, however many', () => {
    const morning = beginDrift(undefined, reference, start - 8 * hour, plan);
    const half = window(morning, seen(9000, 's1'));
    const whole = window(half.after, seen(1, 's2'));

    expect(half.judge).not.toHaveProperty('answers.freeze');
    expect(whole.judge).toMatchObject({ answers: { freeze: { sample: 's2' } } });
  });

  test('to requests that drift are in no sample, and make no reference', () => {
    const first = window(begun, seen(600, 's1'));
    const counting = tick(first.after, first.after.until);
    const judging = say(counting, { type: 'capturedCounted', counted: seen(900, 's2'), at: counting.until });
    const answer = { type: 'driftJudged', detector: 'd', judged: drifted, answers: 'made', at: judging.until } as const;
    const open = say(judging, answer);
    const still = window(open, seen(900, 's3'), 'made').after;

    expect([open.answers, still.answers]).toEqual([first.after.answers, first.after.answers]);
    expect(answersText({ ...modelStart('fraud', plan, 1, start), drift: open })).toMatch(
      /; windows of the incident are no part of it$/,
    );
  });

  test('of a week are enough to be sure', () => {
    const weekly = { ...context, plan: planOf({ monitor: { ...judgedDaily, drift: { window: '7d' } } }) };
    const first = window(beginDrift(undefined, reference, start, weekly.plan), seen(5000, 's1'), undefined, weekly);
    const second = window(first.after, seen(5000, 's2'), undefined, weekly);

    expect(second.judge).toMatchObject({ answers: { freeze: { sample: 's2' } } });
    expect(second.judge).not.toHaveProperty('answers.freeze.isShort');
  });

  test('of a window that could not be judged are in no sample', () => {
    const { after } = window(begun, seen(600, 's1'));
    const counting = tick(after, after.until);
    const failed = say(counting, { type: 'effectRefused', because: 'no such endpoint', at: counting.until });

    expect(failed.answers).toEqual(after.answers);
  });

  test('of a new champion have a reference of their own', () => {
    const { after } = window(begun, seen(1600, 's1'), 'made');
    const next = beginDrift(after, { version: 2, reference: 'ref2' }, after.from, plan);

    expect(next).not.toHaveProperty('answers');
    expect(window(next, seen(1, 's')).count).toMatchObject({ answers: { of: 'v2' } });
  });

  test('are as the config has them: of a kind, or off', () => {
    const withKind = (kind: 'category' | 'off') => {
      const judged = { ...judgedDaily, drift: { columns: { '(answers)': kind } } };
      return { ...context, plan: planOf({ monitor: judged }) };
    };
    const { after } = window(begun, seen(600, 's1'));

    const off = window(after, counted, undefined, withKind('off'));

    expect(window(after, seen(500, 's2'), 'made', withKind('category')).judge).toMatchObject({
      answers: { freeze: { sample: 's2', kind: 'category' } },
    });
    expect([off.count, off.judge, off.after].map((each) => Object.hasOwn(each ?? {}, 'answers'))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('are told of in words', () => {
    const model = (drift: Drift, its = plan): Model => ({ ...modelStart('fraud', its, 1, start), drift });
    const off = planOf({ monitor: { ...judgedDaily, drift: { columns: { '(answers)': 'off' } } } });
    const incident = (...columns: readonly string[]) => titleOf({ ...open, columns });
    const open = { level: 'major', since: 1, at: 1, newsAt: 1, version: 1, size: 0.2, clean: 0, columns: [] } as const;
    const judged = window(begun, seen(1600, 's1'), 'made').after;

    expect(answersText(model(window(begun, seen(600, 's')).after))).toBe(
      "the model's answers are not compared yet: 600 of 1,000 answers and at least one whole window will be what later ones of v1 are compared with",
    );
    expect(answersText(model(judged))).toBe(
      "the model's answers are compared with 1,600 answers of v1 from 2026-01-01 18:00:00 UTC to 2026-01-03 00:00:00 UTC: what was wrong from the first day is not seen in them; that is less than a week, so if they alone drift it is only told",
    );
    expect(answersText(model(judged, off))).toBe(
      "the model's answers are not compared: monitor.drift.columns has '(answers)': 'off'",
    );
    expect([incident('(answers)'), incident('a', 'b', '(answers)', 'c'), incident('a', 'b')]).toEqual([
      "the model's answers drifted from what they were, by 0.20",
      "column a, 2 more columns and the model's answers drifted from what they were, by 0.20",
      'column a and 1 more column drifted from the training data, by 0.20',
    ]);
  });
});

describe('drift that was found here', () => {
  const moment = { at: midnight, seq: 9, by: 'serin' };
  const version = (number: number) => ({
    ...{ number, run: 'r', at: start, dataset: 'd', artifact: artifactOf('m'), metrics: {}, scores: {} },
    ...{
      serve: plan.serve,
      lineage: {},
      data: { rows: 9, profile: 'p', reference: `ref${number}` },
      registered: true as const,
    },
    approval: { status: 'approved' as const },
  });
  const modelOf = (onDrift: 'run' | 'notify' | 'rollback', changes: Partial<Model> = {}): Model => ({
    ...modelStart('fraud', planOf({ monitor: { ...judgedDaily, onDrift } }), 1, start),
    ...{ versions: { '1': version(1), '2': version(2) }, champion: 1, monitor: monitorStart },
    ...changes,
  });
  const incident = {
    level: 'major' as const,
    since: start,
    at: midnight,
    newsAt: midnight,
    version: 1,
    columns: ['age', 'city'],
    size: 0.2,
    clean: 0,
  };
  const opened = (onDrift: 'run' | 'notify' | 'rollback'): Model => {
    const model = applyRules(modelOf(onDrift), moment, undefined);
    if (model.drift === undefined) throw new Error('no drift');
    return applyRules({ ...model, drift: { ...model.drift, incident } }, moment, model);
  };

  test('is looked for only where the champion has a reference and the config asks', () => {
    const begun = applyRules(modelOf('notify'), moment, undefined);
    const without = applyRules({ ...begun, champion: 3 }, moment, begun);
    const next = applyRules({ ...begun, champion: 2 }, moment, begun);

    expect(begun.drift).toMatchObject({ status: 'collecting', reference: 'ref1', version: 1 });
    expect(without.drift).toBeUndefined();
    expect(next.drift).toMatchObject({ reference: 'ref2', version: 2, from: midnight });
  });

  test('is an alert that asks for a run once, and is resolved with its incident', () => {
    const model = opened('run');
    const later = applyRules(model, { ...moment, at: midnight + 20 * day }, model);
    const { incident: _, ...quiet } = model.drift ?? ({} as Drift);
    const over = applyRules({ ...model, drift: quiet as Drift }, moment, model);

    expect(model.queued?.trigger.kind).toBe('drift');
    expect(model.did?.because).toBe(
      'drift from serin: column age and 1 more column drifted from the training data, by 0.20',
    );
    expect(Object.values(model.monitor.alerts)).toMatchObject([{ sender: 'serin', kind: 'drift', did: 'run' }]);
    expect(later).toBe(model);
    expect(over.monitor).toMatchObject({ status: 'quiet', alerts: {} });
  });

  test('starts no run where it ends with the cooldown that it waited for', () => {
    const cooling = modelOf('run', { monitor: { ...monitorStart, runs: [midnight - hour] } });
    const begun = applyRules(cooling, moment, undefined);
    const waits = applyRules({ ...begun, drift: { ...(begun.drift as Drift), incident } }, moment, begun);
    const { incident: _, ...quiet } = waits.drift as Drift;
    const over = applyRules({ ...waits, drift: quiet as Drift }, { ...moment, at: midnight + day }, waits);

    expect(Object.values(waits.monitor.alerts)).toMatchObject([{ did: 'wait', until: midnight + 5 * hour }]);
    expect([over.queued, over.intake.status, over.monitor]).toMatchObject([undefined, 'idle', { alerts: {} }]);
  });

  test('that is small is only told, and acts once it has grown', () => {
    const small = { ...incident, level: 'notice' as const };
    const model = applyRules(modelOf('run'), moment, undefined);
    const begun = model.drift ?? ({} as Drift);

    const told = applyRules({ ...model, drift: { ...begun, incident: small } }, moment, model);
    const later = { ...moment, at: midnight + day };
    const grown = applyRules(
      { ...told, drift: { ...begun, incident: { ...incident, newsAt: later.at } } },
      later,
      told,
    );

    expect([told.did?.do, told.queued]).toEqual(['notify', undefined]);
    expect([grown.did?.do, grown.queued?.trigger.kind]).toEqual(['run', 'drift']);
  });

  test('is not resolved, raised or forgotten by anybody outside', () => {
    const model = opened('notify');
    const stream = { model: 'fraud', seq: 10 };
    const dispatcher = { self: 'test', dispatches: true, alone: true };
    const alert = { sender: 'serin', fingerprint: 'drift', id: 'x', at: midnight, actor: engineActor };
    const raised = { ...alert, type: 'alertRaised', kind: 'drift', startedAt: 'T', title: 't' } as const;

    for (const signal of [{ ...alert, type: 'alertResolved' } as const, raised])
      expect(decideModel(model, signal, stream, dispatcher)).toEqual({
        refused: "an alert cannot have the sender 'serin': name the tool that sends it",
      });
    const ticked = decideModel(
      model,
      { type: 'clockTicked', id: 't', at: midnight + 9 * day, actor: engineActor },
      stream,
      dispatcher,
    );
    expect('moved' in ticked ? Object.keys(ticked.moved.monitor.alerts) : []).toHaveLength(1);
  });

  describe('takes traffic back from a version that was released, and', () => {
    const versions = Object.fromEntries([1, 2, 3].map((number) => [number, version(number)]));
    const day2 = { ...moment, at: midnight + day };
    const begun = applyRules(modelOf('rollback', { versions, champion: 3, lastGood: [1, 2] }), moment, undefined);
    const withIncident = (model: Model, its: Partial<typeof incident> | undefined, at: number): Model => {
      const { incident: _, ...quiet } = model.drift as Drift;
      const drift = its === undefined ? quiet : { ...quiet, incident: { ...incident, at, newsAt: at, ...its } };
      return applyRules({ ...model, drift: drift as Drift }, { ...moment, at }, model);
    };
    const first = withIncident(begun, {}, midnight);
    const back = applyRules(goBack(without(first, 'rollout') as Model, 2, day2.at, 'drift'), day2, first);

    test('not from the earlier one where that drifts as well', () => {
      const again = withIncident(back, { version: 2, at: midnight }, midnight + 2 * day);

      expect(first.rollout).toMatchObject({ kind: 'rollback', candidate: 2, by: expect.stringMatching(/^drift from/) });
      expect(back.drift).toMatchObject({ version: 2, incident: { version: 1 } });
      expect(again.rollout).toBeUndefined();
      expect(again.did).toMatchObject({
        do: 'escalate',
        because: expect.stringContaining('traffic went back to v2 already, and no version was released since'),
      });
    });

    test('not from the earlier one where that drifts weeks after three clean windows', () => {
      const over = withIncident(back, undefined, midnight + 4 * day);
      const later = withIncident(over, { version: 2 }, midnight + 30 * day);

      expect(over.monitor.status).toBe('quiet');
      expect([later.rollout, later.did?.do]).toEqual([undefined, 'escalate']);
    });

    test('from the next one that is released', () => {
      const over = withIncident(back, undefined, midnight + 4 * day);
      const next = applyRules(promoteChampion(over, 3, midnight + 5 * day, 'promoted'), day2, over);

      const later = withIncident(next, { version: 3 }, midnight + 30 * day);

      expect(later.rollout).toMatchObject({ kind: 'rollback', candidate: 2 });
    });

    test('from one that stayed the champion when a candidate was taken back', () => {
      const stayed = noteStay(begun, 3, midnight);
      const later = withIncident(stayed, {}, midnight + 30 * day);
      const cameBack = noteStay(back, 2, midnight + 10 * day);
      const over = withIncident(cameBack, undefined, midnight + 11 * day);
      const released = promoteChampion(
        promoteChampion(over, 3, day2.at, 'promoted'),
        2,
        midnight + 12 * day,
        'promoted',
      );

      expect(later.rollout).toMatchObject({ kind: 'rollback', candidate: 2 });
      expect(withIncident(over, { version: 2 }, midnight + 30 * day).did?.do).toBe('escalate');
      expect(withIncident(released, { version: 2 }, midnight + 30 * day).rollout).toMatchObject({ kind: 'rollback' });
    });

    test('as a state from before says it, by when the champion began to serve', () => {
      const served = [{ at: start, version: 3, because: 'promoted' }];
      const old = (at: number): Model => ({ ...begun, served, monitor: { ...begun.monitor, wentBack: { at, to: 3 } } });
      const [stayed, went] = [old(start + hour), old(start)].map((model) => withIncident(model, {}, midnight + day));

      expect(stayed?.rollout).toMatchObject({ kind: 'rollback', candidate: 2 });
      expect([went?.rollout, went?.did?.do]).toEqual([undefined, 'escalate']);
    });
  });

  test('has room beside a hundred alerts of others', () => {
    const model = applyRules(modelOf('notify'), moment, undefined);
    const alert = {
      ...{ kind: 'alert', sender: 'grafana', startedAt: 'T', title: 't', at: start, heardAt: start, did: 'notify' },
    } as const;
    const others = Array.from({ length: 100 }, (_, index) => `f${index}`).map((fingerprint) => [
      `["grafana","${fingerprint}"]`,
      { ...alert, fingerprint },
    ]);
    const full: Model = {
      ...model,
      monitor: { ...monitorStart, status: 'alarmed', since: start, alerts: Object.fromEntries(others) },
    };

    const open = applyRules({ ...full, drift: { ...(full.drift ?? ({} as Drift)), incident } }, moment, full);

    const senders = Object.values(open.monitor.alerts).map(({ sender }) => sender);
    expect([senders.length, senders.at(-1), open.did?.do]).toEqual([101, 'serin', 'notify']);
  });

  test('tells the world with its columns and size, and when it is over', () => {
    const before = applyRules(modelOf('notify'), moment, undefined);
    const judging = {
      ...(before.drift ?? ({} as Drift)),
      ...{ status: 'judging', turn: 7, until: midnight, from: start, counted },
    } as Drift;
    const key = 'drift/7';
    const model: Model = {
      ...before,
      drift: judging,
      debts: { [key]: { attempt: 1, taken: 5, by: 'test', until: midnight + hour } as never },
    };
    const decided = decideModel(
      model,
      { type: 'driftJudged', detector: 'd', judged: drifted, key, taken: 5, id: 'a', at: midnight, actor: engineActor },
      { model: 'fraud', seq: 10 },
      { self: 'test', dispatches: true, alone: true },
    );

    const events = 'moved' in decided ? decided.events : [];
    expect(events.map(({ type }) => type)).toEqual(['dev.serin.alert.received.v1', 'dev.serin.drift.detected.v1']);
    expect(events[1]?.data).toEqual({
      ...{ model: 'fraud', sender: 'serin', title: 'column age drifted from the training data, by 0.20' },
      ...{ columns: ['age'], size: 0.2, since: instant(start), version: 1, level: 'major' },
    });
  });
});
