import { describe, expect, test } from 'vitest';
import { without } from '../../base/objects.ts';
import { day, hour, minute } from '../../base/time.ts';
import type { Config } from '../../config/config.ts';
import { lossLimit, noLosses, withLoss, withWindow } from '../../drift/losses.ts';
import { addOutcomes, noOutcomes, type Outcomes, wilson } from '../../drift/outcomes.ts';
import { applyRules } from '../between/rules.ts';
import { decideModel } from '../decide.ts';
import { type Driver, planOf, withChampion } from '../model.fixture.ts';
import type { SignalOf } from '../protocol.ts';
import type { Model } from '../state.ts';
import { whyModel } from '../why.ts';
import type { Performance } from './performance.ts';
import { lossTitle, performanceText } from './text.ts';
import { lastTruths } from './truths.ts';

type Monitored = NonNullable<Config['models'][string]['monitor']>;
type Rules = NonNullable<Monitored['performance']>;

const planWith = (rules: Rules, more: Partial<Monitored> = {}, on = {}) =>
  planOf({ on, monitor: { ...more, performance: { window: '1h', maturity: '2h', ...rules } } });

const performanceOf = ({ state }: Pick<Driver, 'state'>): Performance => state.performance ?? expect.fail('none');

/** A model whose first version serves, and whose labels are judged. From then on no data starts a run. */
function judged(rules: Rules = { limit: 0.1 }, more: Partial<Monitored> = {}) {
  const opened = withChampion(planWith(rules, more));
  opened.drive.say({ type: 'configReleased', revision: 2, plan: planWith(rules, more, { data: false }) });
  const progress = { chain: '', chunks: [], objects: 0, bytes: 0, complete: true };
  if (opened.drive.owed('list').length > 0) opened.drive.answer('list', { type: 'listingAdvanced', progress });
  return opened;
}

/** The window that is open matures, and its labels come to this. */
function mature(drive: Driver, outcomes: Outcomes): void {
  const { dueAt } = performanceOf(drive) as Extract<Performance, { status: 'maturing' }>;
  drive.wait(dueAt - drive.now);
  for (let [order] = drive.owed('countLabels'); order?.kind === 'countLabels'; [order] = drive.owed('countLabels')) {
    const isLast = order.to === performanceOf(drive).until;
    drive.answer('countLabels', counted(order, isLast ? outcomes : noOutcomes));
  }
}

type Order = Extract<ReturnType<Driver['owed']>[number], { kind: 'countLabels' }>;
function counted(
  { to, outcomes, bets }: Order,
  more: Outcomes,
): Omit<SignalOf<'labelsCounted'>, 'id' | 'at' | 'actor' | 'key' | 'taken'> {
  const { labels, lost } = more;
  const sums = addOutcomes(outcomes, more);
  const evidence = bets && withLoss(withLoss(bets.evidence, 1, bets.limit, lost), 0, bets.limit, labels - lost);
  return { type: 'labelsCounted', readTo: to, outcomes: sums, ...(evidence && { evidence }) };
}

const labels = (wrong: number, labels = 500, predictions = labels): Outcomes => ({
  predictions,
  labels,
  lost: wrong,
  losses: 0,
});
const [good, bad] = [labels(25), labels(150)];
/** 100 of 500 truths are the class: 80 of them were predicted, and 5 that are not. */
const withTruths: Outcomes = {
  ...good,
  classes: { truePositives: 80, falsePositives: 5, falseNegatives: 20, trueNegatives: 395 },
};
const events = ({ entries }: Driver): readonly string[] =>
  entries.flatMap(({ events }) => events.flatMap(({ type }) => /(alert|performance)\.\w+/.exec(type)?.[0] ?? []));

describe('a window of labels', () => {
  test('is read once all labels of it have come, page by page, and each page under a key of its own', () => {
    const { drive } = judged({ limit: 0.1, window: '10h' });
    const { from, until } = performanceOf(drive);
    drive.wait(until + 2 * hour - 1 - drive.now);
    const early = drive.owed('countLabels');
    drive.wait(1);
    const orders: Order[] = [];
    for (let [order] = drive.owed('countLabels'); order?.kind === 'countLabels'; [order] = drive.owed('countLabels')) {
      orders.push(order);
      drive.answer('countLabels', counted(order, labels(10, 100)));
    }

    expect(early).toEqual([]);
    expect([from % minute, until % (10 * hour)]).toEqual([0, 0]);
    expect(orders[0]).toMatchObject({
      deployment: 'v1',
      from,
      to: from + 4 * hour,
      tickMs: minute,
      maturityMs: 2 * hour,
    });
    expect(orders.at(-1)).toMatchObject({ to: until, outcomes: { labels: 100 * (orders.length - 1) } });
    expect(new Set(orders.map(({ key }) => key)).size).toBe(orders.length);
    expect(performanceOf(drive)).toMatchObject({ status: 'maturing', from: until, until: until + 10 * hour });
  });

  test('bets on its losses once, and not once a page', () => {
    const { drive } = judged({ limit: 0.1, window: '10h' });
    mature(drive, good);

    const bets = withLoss(withLoss(withWindow(noLosses), 1, 0.1, 25), 0, 0.1, 475);
    expect(performanceOf(drive).evidence).toEqual(bets);
  });

  test('with too few labels goes on, and both parts are judged together', () => {
    const { drive } = judged();
    const { from } = performanceOf(drive);
    mature(drive, labels(10, 150));
    const waiting = performanceOf(drive);
    const said = performanceText(drive.state, drive.now);
    mature(drive, labels(12, 150));

    expect(waiting).toMatchObject({ from, outcomes: { labels: 150 }, windows: [] });
    expect(said).toContain('it has 150 of the 200 labels that it needs, and goes on');
    expect(performanceOf(drive).windows).toMatchObject([{ from, labels: 300, lost: 22 }]);
    const bets = withLoss(withLoss(withWindow(noLosses), 1, 0.1, 22), 0, 0.1, 278);
    for (const [at, log] of bets.logs.entries()) expect(performanceOf(drive).evidence.logs[at]).toBeCloseTo(log, 9);
  });

  test('with labels for less than half of its predictions is passed over, whatever they say, and the reason is shown', () => {
    const { drive } = judged();
    mature(drive, labels(400, 499, 1000));
    const passed = performanceOf(drive);
    const said = performanceText(drive.state, drive.now);
    mature(drive, good);

    expect(passed).toMatchObject({ windows: [], evidence: noLosses });
    expect(said).toContain('nothing is said of the last window: labels came for 499 of its 1000 predictions');
    expect(performanceOf(drive)).not.toHaveProperty('because');
    expect(performanceOf(drive).windows).toHaveLength(1);
  });

  test('that the platform refuses to read is passed over, and one that nobody knows any more is not read', () => {
    const { drive } = judged();
    const { until } = performanceOf(drive);
    drive.wait(until + 2 * hour - drive.now);
    drive.answer('countLabels', { type: 'effectRefused', because: 'this platform keeps no labels' });
    const refused = performanceOf(drive);
    drive.wait(60 * day);

    expect(refused).toMatchObject({ from: until, because: 'this platform keeps no labels' });
    // The next one is due already, and a model wakes for no time that has passed.
    expect(performanceOf(drive)).toMatchObject({ status: 'counting', from: drive.now - 35 * day });
  });

  test('leaves what was seen in short, for the last sixty', () => {
    const { drive } = judged();
    for (let count = 0; count < 65; count += 1) mature(drive, good);

    const { windows } = performanceOf(drive);
    expect(windows).toHaveLength(60);
    expect(windows.at(-1)).toMatchObject({ ...good, version: 1, limit: 0.1, evidence: expect.any(Number) });
    expect(JSON.stringify(performanceOf(drive)).length).toBeLessThan(16_000);
  });

  test.each([
    [
      { positive: 'fraud' },
      { classes: { truePositives: 812_345, falsePositives: 5123, falseNegatives: 20_123, trueNegatives: 7_950_123 } },
    ],
    [
      { scale: 10 },
      {
        errors: {
          numbers: 490_123,
          unknown: 10_123,
          absolute: 980_123.123_456_78,
          squares: 44_101_234.123_456_78,
          fourths: 1e9 / 7,
        },
      },
    ],
  ])('leaves them in short with what their truths say: %j', (rules, truths) => {
    const { drive } = judged({ limit: 0.1, ...rules });
    for (let count = 0; count < 65; count += 1) mature(drive, { ...labels(400_123, 8_787_714), ...truths });

    expect(performanceOf(drive).windows).toHaveLength(60);
    expect(JSON.stringify(performanceOf(drive)).length).toBeLessThan(20_000);
  });

  test.each([
    [{ positive: 'fraud' }, { positive: 'fraud' }],
    [{ scale: 10 }, { scale: 10 }],
    [{}, undefined],
  ] as const)('is read by the rule of the config: %j', (rules, truths) => {
    const { drive } = judged({ limit: 0.1, ...rules });
    drive.wait(performanceOf(drive).until + 2 * hour - drive.now);

    expect(drive.owed('countLabels')).toMatchObject([truths === undefined ? {} : { truths }]);
    expect('truths' in must(drive.owed('countLabels')[0])).toBe(truths !== undefined);
  });

  test('of another class keeps what is not of that class', () => {
    const { drive } = judged({ limit: 0.1, positive: 'fraud' });
    mature(drive, withTruths);
    const [before] = performanceOf(drive).windows;
    drive.say({
      type: 'configReleased',
      revision: 3,
      plan: planWith({ limit: 0.1, positive: 'odd' }, {}, { data: false }),
    });

    expect(before).toMatchObject({ labels: 500, lost: 25, classes: withTruths.classes });
    expect(performanceOf(drive).windows).toEqual([without(must(before), 'classes')]);
    expect(performanceOf(drive).evidence.logs).toHaveLength(7);
  });

  test('of another scale begins anew: its losses are other ones, and so are its limit and its incident', () => {
    const learned = judged({ scale: 10 }).drive;
    for (const window of [labels(60, 600), labels(60, 600), bad, bad, bad]) mature(learned, window);
    const open = performanceOf(learned);
    const plan = planWith({ scale: 5 }, {}, { data: false });
    learned.say({ type: 'configReleased', revision: 3, plan });

    expect(open).toMatchObject({ first: { labels: 1200 }, incident: { version: 1 } });
    expect(lossTitle({ ...must(open.incident), isLoss: true, limit: 0.1 })).toBe(
      'the mean loss of v1 is 0.300 by the labels of its predictions, above the limit of 0.100',
    );
    expect(performanceOf(learned)).toMatchObject({ first: noOutcomes, evidence: noLosses, windows: [] });
    expect(performanceText(learned.state, learned.now)).toMatch(
      /^no window of v1 was judged by its labels yet; its limit/,
    );
    expect(performanceOf(learned)).not.toHaveProperty('incident');
    expect(learned.state.monitor.alerts).toEqual({});
    expect(learned.entries.at(-1)?.events).toContainEqual(
      expect.objectContaining({
        type: expect.stringContaining('performance.recovered'),
        data: expect.objectContaining({ because: 'the config changed' }),
      }),
    );
  });

  test('has no requests of before a release that moves their id among the fields', () => {
    const captured = (fields: string[]) => ({ capture: { share: '10%', fields, id: 'order' } });
    const { drive } = judged({ limit: 0.1 }, captured(['order', 'age']));
    mature(drive, labels(45));
    const released = (fields: string[], revision: number) => {
      drive.say({
        type: 'configReleased',
        revision,
        plan: planWith({ limit: 0.1 }, captured(fields), { data: false }),
      });
      return performanceOf(drive);
    };
    const before = performanceOf(drive);
    const longer = released(['order', 'age', 'city'], 3);
    const moved = released(['age', 'order', 'city'], 4);

    expect(longer).toEqual(before);
    expect(moved).toMatchObject({ status: 'maturing', evidence: before.evidence, windows: before.windows });
    expect(moved.from).toBeGreaterThanOrEqual(drive.now);
    expect(performanceText(drive.state, drive.now)).toContain(
      '; nothing is said of the last window: the ids of requests stand elsewhere in monitor.capture.fields, so they count from 2026-01-01 ',
    );
  });

  test.each([
    ['monitor.performance', { performance: { window: '1h', maturity: '2h', prediction: '/label' } }, {}],
    ['the guardrail', { performance: { window: '1h', maturity: '2h' } }, { labels: { prediction: '/label' } }],
  ] as const)('has nothing of predictions that %s looked for elsewhere', (_, monitor, guardrails) => {
    const { drive } = judged({});
    for (const window of [labels(600, 600), labels(600, 600)]) mature(drive, window);
    const plan = planOf({ on: { data: false }, monitor, rollout: { guardrails } });
    drive.say({ type: 'configReleased', revision: 3, plan });

    const next = performanceOf(drive);
    expect(next).toMatchObject({ status: 'maturing', first: noOutcomes, evidence: noLosses, windows: [] });
    expect(next.from).toBeGreaterThanOrEqual(drive.now);
    expect(performanceText(drive.state, drive.now)).toContain(
      '; nothing is said of the last window: predictions stand elsewhere in answers, so they count from 2026-01-01 ',
    );
  });

  test('is read again under another plan, and bets against another limit are void', () => {
    const { drive } = judged();
    mature(drive, labels(45));
    const before = performanceOf(drive);
    const later = (rules: Rules, revision: number) => {
      drive.say({ type: 'configReleased', revision, plan: planWith(rules, {}, { data: false }) });
      return performanceOf(drive);
    };
    const longer = later({ limit: 0.1, maturity: '3h' }, 3);
    const stricter = later({ limit: 0.05, maturity: '3h' }, 4);
    drive.say({ type: 'configReleased', revision: 5, plan: planOf() });

    expect(longer).toMatchObject({ from: before.from, dueAt: before.until + 3 * hour, evidence: before.evidence });
    expect(stricter.evidence).toEqual(noLosses);
    expect(drive.state.performance).toBeUndefined();
  });
});

describe('the limit', () => {
  test('is what the first thousand labels of the version say, and a tolerance, and nothing is bet before', () => {
    const { drive } = judged({});
    mature(drive, labels(50, 600));
    const learning = performanceText(drive.state, drive.now);
    mature(drive, labels(50, 600));
    const [known] = [performanceOf(drive)];
    mature(drive, good);

    expect(learning).toContain('its limit is known after 1,000 labels (600 so far)');
    expect(known.windows.map(({ limit }) => limit)).toEqual([undefined, undefined]);
    expect(known.evidence).toEqual(noLosses);
    expect(performanceOf(drive).windows.at(-1)?.limit).toBe(lossLimit({ sum: 100, labels: 1200 }, 0.02));
  });

  test('begins anew with a new champion, as the evidence does', () => {
    const { drive } = judged({});
    for (const window of [labels(50, 600), labels(50, 600), labels(60)]) mature(drive, window);
    const { state } = drive;
    const moment = { at: drive.now, seq: 99, by: 'ann' };
    const next = applyRules({ ...state, champion: 2 }, moment, state);

    expect(state.performance?.evidence.logs).toHaveLength(7);
    expect(next.performance).toMatchObject({ version: 2, evidence: noLosses, first: noOutcomes, outcomes: noOutcomes });
    expect(next.performance?.from).toBeGreaterThanOrEqual(drive.now);
    expect(next.performance?.windows).toEqual(state.performance?.windows);
  });
});

describe('an incident of performance', () => {
  test('needs evidence and is an alert that acts once, until three clean windows in a row end it', () => {
    const { drive } = judged({ limit: 0.1 }, { onPerformance: 'run', cooldown: '1m' });
    mature(drive, good);
    const quiet = drive.state;
    for (const window of [bad, bad, bad]) mature(drive, window);
    const open = drive.state;
    const why = whyModel(open, drive.now);
    for (const window of [good, good, bad, good, good]) mature(drive, window);
    const still = performanceOf(drive).incident;
    mature(drive, good);

    expect([quiet.performance?.incident, quiet.monitor.status]).toEqual([undefined, 'quiet']);
    expect(open.performance?.incident).toMatchObject({ version: 1, limit: 0.1, loss: 0.3 });
    expect(open.performance?.evidence).toEqual(noLosses);
    expect(Object.values(open.monitor.alerts)).toMatchObject([
      {
        ...{ sender: 'serin', fingerprint: 'performance', kind: 'performance' },
        title: 'v1 is wrong in 30 % of its predictions by their labels, above the limit of 10 %',
      },
    ]);
    expect(open.monitor.runs).toHaveLength(1);
    expect(why.story.map(({ text }) => text).join()).toContain('v1 is wrong in 30 % of its predictions');
    expect(still).toMatchObject({ clean: 2 });
    expect(performanceOf(drive)).toMatchObject({ evidence: noLosses });
    expect(performanceOf(drive).incident).toBeUndefined();
    expect(drive.state.monitor).toMatchObject({ status: 'quiet', alerts: {} });
    expect(drive.state.monitor.runs).toHaveLength(1);
    expect(events(drive)).toEqual(['alert.received', 'performance.lost', 'alert.resolved', 'performance.recovered']);
  });

  const opened = (onPerformance: 'run' | 'rollback' | 'notify') => {
    const { drive } = judged({ limit: 0.1 }, { onPerformance, cooldown: '1m' });
    mature(drive, bad);
    return drive;
  };
  /** The same model, whose champion is another version now. */
  const under = (state: Model, version: number, at: number): Model =>
    applyRules({ ...state, champion: version }, { at, seq: 99, by: 'ann' }, state);

  test('stays open under a new champion, and only tells that this one is no better', () => {
    const { state, now } = opened('run');
    const next = under(state, 2, now);
    const again = applyRules(
      {
        ...next,
        performance: {
          ...must(next.performance),
          incident: { ...must(state.performance?.incident), version: 2, newsAt: now + day },
        },
      },
      { at: now + day, seq: 100, by: 'serin' },
      next,
    );

    expect(next.performance?.incident).toEqual(state.performance?.incident);
    expect(again.did?.do).toBe('notify');
    expect(again.monitor.runs).toHaveLength(1);
    expect(Object.values(again.monitor.alerts)).toHaveLength(1);
  });

  test('that waits for the cooldown acts for the next version that is worse, and not for one that is not', () => {
    const { drive } = judged({ limit: 0.1 }, { onPerformance: 'run', cooldown: '6h' });
    const { state, now } = drive;
    const at = (ms: number) => ({ at: now + ms, seq: 99, by: 'serin' });
    const withIncident = (model: Model, version: number, ms: number): Model => {
      const incident = { since: now, at: now, newsAt: now + ms, version, loss: 0.3, limit: 0.1, clean: 0 };
      return applyRules({ ...model, performance: { ...must(model.performance), incident } }, at(ms), model);
    };
    const cooling = { ...state, monitor: { ...state.monitor, runs: [now] } };
    const waits = withIncident(cooling, 1, 0);
    const next = under(waits, 2, now + hour);
    const later = applyRules(next, at(7 * hour), next);
    const worse = withIncident(next, 2, 2 * hour);
    const acts = applyRules(worse, at(6 * hour), worse);
    const again = withIncident(under(acts, 3, now + 20 * hour), 3, 21 * hour);
    const over = { ...waits, performance: without(must(waits.performance), 'incident') as Performance };
    const ended = applyRules(over, at(7 * hour), waits);

    const didIn = ({ monitor }: Model) => Object.values(monitor.alerts).map(({ did }) => did);
    expect([waits, next, later, worse].map(didIn)).toEqual([['wait'], ['wait'], ['wait'], ['wait']]);
    expect([later, ended].map(({ monitor }) => monitor.runs)).toEqual([[now], [now]]);
    expect(ended.monitor.status).toBe('quiet');
    expect(whyModel(later, now + 7 * hour).sentence).toContain(': a run starts if it is seen of v2 as well');
    const rolling = {
      ...later,
      plan: { ...later.plan, monitor: { ...later.plan.monitor, onPerformance: 'notify' } },
    } as const;
    expect(performanceText(rolling, now + 7 * hour)).toContain('; it is decided upon if it is seen of v2 as well; 3');
    expect(performanceText(waits, now)).toMatch(
      /; a run starts in 6h, at [\d :-]+ UTC, if it still fires then; 3 windows/,
    );
    expect(performanceText(again, now + 22 * hour)).toContain('; it is only told; 3 windows in a row');
    expect(acts.intake.status).toBe('listing');
    expect([acts, again].map(didIn)).toEqual([['run'], ['notify']]);
    expect(again.monitor.runs).toHaveLength(2);
  });

  test('takes traffic back where the config says so, and has nowhere to go from the first version', () => {
    const { did } = opened('rollback').state;

    expect(did).toMatchObject({
      do: 'escalate',
      because: expect.stringContaining('performance from serin: v1 is wrong'),
    });
  });

  test('is raised and resolved by nobody outside, and not forgotten after a week', () => {
    const { state, now } = opened('notify');
    const stamp = { id: 'x', at: now, actor: { subject: 'ops', issuer: 'token', role: 'operator' } } as const;
    const alert = { ...stamp, sender: 'serin', fingerprint: 'performance' };
    const decide = (signal: Parameters<typeof decideModel>[1]) =>
      decideModel(state, signal, { model: 'fraud', seq: 500 }, { self: 'test', dispatches: true, alone: true });

    expect(decide({ ...alert, type: 'alertResolved' })).toHaveProperty('refused');
    expect(decide({ ...alert, type: 'alertRaised', kind: 'alert', startedAt: 'T', title: 't' })).toHaveProperty(
      'refused',
    );
    const ticked = decide({ ...stamp, type: 'clockTicked', at: now + 8 * day });
    expect('moved' in ticked && Object.keys(ticked.moved.monitor.alerts)).toHaveLength(1);
  });
});

const must = <Value>(value: Value | undefined): Value => value ?? expect.fail('it is not there');

test('says in one line how good the champion is, and why it is not judged', () => {
  const { drive } = judged();
  const begun = performanceText(drive.state, drive.now);
  mature(drive, good);
  const known = performanceText(drive.state, drive.now);
  const losses = { predictions: 500, labels: 500, lost: 21.5, losses: 500 };
  mature(drive, losses);

  expect(begun).toMatch(
    /^no window of v1 was judged by its labels yet; the labels of the open window will have come in /,
  );
  expect(known).toContain(
    'in the last window v1 was wrong in 5 % (3.41 % to 7.28 %) by 500 labels of 500 predictions; the limit is 10 %, evidence ',
  );
  expect(performanceText(drive.state, drive.now)).toContain('the mean loss of v1 was 0.043 (0.028 to 0.065)');
  expect(performanceText(withChampion(planOf()).drive.state, 0)).toBe(
    'performance is not judged: give monitor.performance in the config, and send labels',
  );
});

test('says where to look where no prediction was right', () => {
  const said = (outcomes: Outcomes) => {
    const { drive } = judged();
    mature(drive, outcomes);
    return performanceText(drive.state, drive.now);
  };
  const hint =
    '; no prediction was right, as if it were looked for in the wrong place, or truths were written otherwise: see monitor.performance.prediction; ';

  expect(said(labels(500))).toContain(hint);
  expect(said({ ...labels(500), losses: 500 })).toContain(hint);
  expect(said(labels(499))).not.toContain('wrong place');
});

test('says in the same line how good it is at a class, and how far off its numbers are', () => {
  const said = (rules: Rules, outcomes: Outcomes) => {
    const { drive } = judged({ limit: 0.1, ...rules });
    mature(drive, outcomes);
    return performanceText(drive.state, drive.now);
  };
  const rare = { truePositives: 40, falsePositives: 5, falseNegatives: 9, trueNegatives: 446 };
  const never = { truePositives: 0, falsePositives: 0, falseNegatives: 100, trueNegatives: 400 };
  const few = { truePositives: 80, falsePositives: 5, falseNegatives: 20, trueNegatives: 5 };
  const errors = { numbers: 490, unknown: 10, absolute: 980, squares: 4410, fourths: 100_000 };
  const lost = { ...labels(21.5), losses: 500 };

  expect(said({ positive: 'fraud' }, withTruths)).toContain(
    "evidence 0.021; precision of 'fraud' 94.1 % (87 % to 97.5 %), recall 80 % (71.1 % to 86.7 %); the labels",
  );
  expect(said({ positive: 'fraud' }, { ...good, classes: rare })).toContain(
    "; precision and recall of 'fraud' are not said below 50 truths of it, and 49 came; the labels",
  );
  expect(said({ positive: 'fraud' }, { ...good, classes: never })).toContain(
    "; 'fraud' was never predicted, recall 0 % (0 % to 3.7 %); the labels",
  );
  expect(said({ positive: 'fraud' }, { ...good, classes: few })).toContain(
    "; precision and recall of 'fraud' are not said where less than half of the predictions have a truth; the labels",
  );
  expect(said({ positive: 'fraud' }, { ...labels(12, 250), classes: few })).toContain(
    "; precision and recall of 'fraud' are not said below 200 truths, and 110 came; the labels",
  );
  expect(said({ scale: 10 }, { ...lost, errors })).toContain(
    '; mean absolute error 2 (1.8 to 2.2), root mean square error 3 (2.83 to 3.16), without 10 errors that nobody knows; the labels',
  );
  expect(said({ scale: 10 }, { ...lost, errors: { ...errors, numbers: 100, unknown: 0 } })).toContain(
    '; mean errors are not said: 100 of the errors are known; the labels',
  );
});

describe('truths of a class that is rare', () => {
  const rare = (truePositives: number): Outcomes => ({
    ...good,
    classes: { truePositives, falsePositives: 5, falseNegatives: 5, trueNegatives: 490 - truePositives },
  });
  const said = ({ state, now }: Driver) => performanceText(state, now);

  test('are said of as many of the last windows as it takes, and no more', () => {
    const { drive } = judged({ limit: 0.1, positive: 'fraud' });
    for (const truePositives of [40, 10, 20, 15]) mature(drive, rare(truePositives));
    const three = lastTruths(performanceOf(drive));
    mature(drive, rare(45));

    // Of the last three windows 60 truths are the class, of the last two 45.
    expect(three).toMatchObject({ windows: 3, measures: { recall: wilson(45, 60), precision: wilson(45, 60) } });
    expect(lastTruths(performanceOf(drive))).toMatchObject({ windows: 1, measures: { recall: wilson(45, 50) } });
    mature(drive, rare(1));
    expect(said(drive)).toContain("; in the last 2 windows precision of 'fraud' 82.1 % (");
  });

  test('are told of all windows of the champion, and of none of another version, where they are too few', () => {
    const { drive } = judged({ limit: 0.1, positive: 'fraud' });
    for (const truePositives of [5, 10]) mature(drive, rare(truePositives));
    const { state } = drive;
    const next = applyRules({ ...state, champion: 2 }, { at: drive.now, seq: 99, by: 'ann' }, state);

    expect(lastTruths(performanceOf(drive))).toMatchObject({ windows: 2, measures: { lacks: 'positives' } });
    expect(said(drive)).toContain(
      "in the last 2 windows precision and recall of 'fraud' are not said below 50 truths of it, and 25 came",
    );
    expect(lastTruths(must(next.performance))).toBeUndefined();
  });

  test('are said beside an incident as well', () => {
    const { drive } = judged({ limit: 0.1, positive: 'fraud' });
    mature(drive, { ...bad, classes: withTruths.classes } as Outcomes);

    expect(said(drive)).toMatch(/^v1 is wrong in 30 %.* end it; precision of 'fraud' 94.1 %/);
  });
});
