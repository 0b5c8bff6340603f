import { describe, expect, test } from 'vitest';
import { step } from '../../base/table.ts';
import { day, hour, minute } from '../../base/time.ts';
import type { Config } from '../../config/config.ts';
import { planOf } from '../model.fixture.ts';
import type { ModelSignal } from '../protocol.ts';
import {
  type Monitor,
  type MonitorContext,
  monitorStart,
  monitorTable,
  monitorWakes,
  withKnownEnds,
} from './monitor.ts';
import type { AlertRaised } from './protocol.ts';

type Rules = Partial<Pick<Config['models'][string], 'alerts' | 'monitor'>>;
type Told = Partial<Omit<AlertRaised, 'type'>> & { readonly afterMs?: number };

const start = Date.UTC(2026, 0, 1);
const stamp = (afterMs: number) =>
  ({ id: 's', at: start + afterMs, actor: { subject: 'ops', issuer: 'token', role: 'operator' } }) as const;

const raised = ({ afterMs = 0, ...told }: Told = {}): ModelSignal => ({
  type: 'alertRaised',
  kind: 'alert',
  sender: 'grafana',
  fingerprint: 'f',
  startedAt: '2026-01-01T00:00:00Z',
  title: 'errors high',
  ...told,
  ...stamp(afterMs),
});
const ended = (
  fingerprint: string,
  more: { readonly endedAt?: string; readonly afterMs?: number } = {},
): ModelSignal => {
  const { afterMs = 0, ...rest } = more;
  return { type: 'alertResolved', sender: 'grafana', fingerprint, ...rest, ...stamp(afterMs) };
};
const clock = (afterMs: number): ModelSignal => ({ type: 'clockTicked', ...stamp(afterMs) });

/** What the monitor came to, and what each signal asked for. */
function heard(signals: readonly ModelSignal[], rules: Rules = {}, context: Partial<MonitorContext> = {}) {
  let monitor: Monitor = { ...monitorStart };
  const asked = signals.map((signal) => {
    const done = step(monitorTable, monitor, signal, { plan: planOf(rules), releasing: false, ...context });
    if (!('moved' in done)) return 'refused' in done ? 'refused' : 'ignored';
    const { wants, ...rest } = done.moved;
    monitor = rest as Monitor;
    return wants?.do ?? 'moved';
  });
  return { monitor, asked, fires: Object.values(monitor.alerts).map(({ fingerprint }) => fingerprint) };
}

const retraining = { onDrift: 'run', cooldown: '6h', retrainBudget: { runs: 3, per: '7d' } } as const;
const drift = (told: Told) => raised({ kind: 'drift', ...told });
const again = '2026-01-01T01:00:00Z';

const cases: readonly (readonly [
  string,
  readonly ModelSignal[],
  readonly string[],
  Rules?,
  Partial<MonitorContext>?,
])[] = [
  ['takes back a release under way', [raised()], ['revert'], {}, { releasing: true }],
  [
    'takes back a release under way, whatever the policy says',
    [raised()],
    ['revert'],
    { alerts: { onAlert: 'notify' } },
    { releasing: true },
  ],
  ['lets a release under way alone when it is drift', [drift({})], ['notify'], {}, { releasing: true }],
  ['rolls back without a release', [raised()], ['rollback']],
  ['does what the policy says', [raised()], ['notify'], { alerts: { onAlert: 'notify' } }],
  ['acts once while it fires', [raised(), raised({ afterMs: minute })], ['rollback', 'ignored']],
  ['acts again when it fires with another start', [raised(), raised({ startedAt: again })], ['rollback', 'rollback']],
  [
    'acts again with the same start once it was resolved',
    [raised(), ended('f'), raised()],
    ['rollback', 'moved', 'rollback'],
  ],
  ['does nothing when its end came with it', [raised({ over: true })], ['ignored']],
  ['does nothing when its end was told before it', [ended('f', { endedAt: again }), raised()], ['moved', 'ignored']],
  [
    'acts when it began after the end that was told',
    [ended('f', { endedAt: '2025-12-31T23:00:00Z' }), raised()],
    ['moved', 'rollback'],
  ],
  [
    'keeps firing when the end of the firing before comes late',
    [raised({ startedAt: again }), ended('f', { endedAt: '2026-01-01T00:30:00Z' }), raised({ startedAt: again })],
    ['rollback', 'moved', 'ignored'],
  ],
  [
    'does nothing when the later of two ends came first',
    [
      ended('f', { endedAt: '2026-01-01T02:00:00Z', afterMs: 2 * hour }),
      ended('f', { endedAt: '2025-12-31T23:00:00Z', afterMs: 2 * hour }),
      raised({ startedAt: again, afterMs: 2 * hour }),
    ],
    ['moved', 'ignored', 'ignored'],
  ],
  [
    'acts when its end was told of a time that has not come',
    [ended('f', { endedAt: '2999-01-01T00:00:00Z' }), raised({ startedAt: again, afterMs: hour })],
    ['moved', 'rollback'],
  ],
  [
    'is another one when another sender tells it by the same name',
    [raised(), raised({ sender: 'datadog' }), ended('f'), raised({ sender: 'datadog' })],
    ['rollback', 'rollback', 'moved', 'ignored'],
  ],
  [
    'does nothing when a later firing of it is known',
    [raised({ startedAt: again }), raised()],
    ['rollback', 'ignored'],
  ],
  [
    'waits for the cooldown between drift runs',
    [drift({}), drift({ fingerprint: 'g', afterMs: hour })],
    ['run', 'notify'],
    { monitor: retraining },
  ],
  [
    'starts the next run after the cooldown',
    [drift({}), drift({ fingerprint: 'g', afterMs: 6 * hour })],
    ['run', 'run'],
    { monitor: retraining },
  ],
  [
    'escalates when the budget of runs is spent',
    [drift({}), drift({ fingerprint: 'g', afterMs: 7 * hour })],
    ['run', 'escalate'],
    { monitor: { ...retraining, retrainBudget: { runs: 1, per: '7d' } } },
  ],
  [
    'has its budget again after its window',
    [drift({}), drift({ fingerprint: 'g', afterMs: 7 * day })],
    ['run', 'run'],
    { monitor: { ...retraining, retrainBudget: { runs: 1, per: '7d' } } },
  ],
  [
    'is forgotten a week after it was last told',
    [raised(), clock(7 * day), raised({ afterMs: 7 * day })],
    ['rollback', 'moved', 'rollback'],
  ],
  [
    'is not forgotten when it was told again',
    [raised(), raised({ afterMs: 2 * day }), clock(7 * day), raised({ afterMs: 7 * day })],
    ['rollback', 'moved', 'ignored', 'moved'],
  ],
  [
    'acts again a week after its end was told',
    [ended('f', { endedAt: again }), clock(7 * day), raised({ afterMs: 7 * day })],
    ['moved', 'moved', 'rollback'],
  ],
];

describe('an alert', () => {
  for (const [does, signals, expected, rules, context] of cases)
    test(does, () => {
      expect(heard(signals, rules, context).asked).toEqual(expected);
    });

  test.each([
    [
      'a week after the oldest of two was told',
      [raised(), raised({ fingerprint: 'g', afterMs: day })],
      start + 7 * day,
    ],
    ['a week after it was told again', [raised(), raised({ afterMs: 2 * day })], start + 9 * day],
    ['never once it is resolved', [raised(), ended('f')], undefined],
  ])('wakes its model to be forgotten: %s', (_, signals, at) => {
    expect(monitorWakes(heard(signals).monitor, start)).toBe(at);
  });

  test('that is resolved leaves one alone whose fingerprint only begins like it', () => {
    const { fires } = heard([raised({ fingerprint: 'psi' }), raised({ fingerprint: 'psi|age' }), ended('psi')]);

    expect(fires).toEqual(['psi|age']);
  });

  test('is refused when a hundred fire, so that none of them is forgotten', () => {
    const many = Array.from({ length: 101 }, (_, index) => raised({ fingerprint: `f${index}` }));

    const { asked, fires } = heard(many, { alerts: { onAlert: 'notify' } });

    expect([asked.at(-1), fires.length, fires[0]]).toEqual(['refused', 100, 'f0']);
  });

  test('makes the model quiet again with its end, and not before', () => {
    const both = [raised({ fingerprint: 'a' }), raised({ fingerprint: 'b' }), ended('a')];

    expect(heard(both).monitor.status).toBe('alarmed');
    expect(heard([...both, ended('b')]).monitor).toMatchObject({ status: 'quiet', alerts: {} });
  });
});

test('of a state from before, an alert that had its run and names no champion speaks for its tool', () => {
  const { monitor } = heard([drift({})], { monitor: retraining });
  const context = { plan: planOf({ monitor: retraining }), releasing: false, champion: 3 };
  const told = step(monitorTable, monitor, drift({ fingerprint: 'g', afterMs: hour }), context);
  expect(Object.values(monitor.alerts)).toEqual([expect.not.objectContaining({ champion: expect.anything() })]);
  expect('moved' in told && told.moved.wants?.do).toBe('notify');
});

test('of one batch, an alert is over whose end comes after it, of the same model alone', () => {
  const { type: _, ...alert } = { ...raised() } as AlertRaised;
  const told = (model: string, type: 'alertRaised' | 'alertResolved') => ({
    model,
    signal: { ...alert, type } as AlertRaised,
  });
  const batch = [
    told('fraud', 'alertRaised'),
    told('churn', 'alertRaised'),
    told('fraud', 'alertResolved'),
    told('fraud', 'alertRaised'),
  ];

  const read = withKnownEnds(batch, ({ model }) => model);

  expect(read.map(({ signal }) => signal.over ?? false)).toEqual([true, false, false, false]);
});

describe('one alert more than can be remembered', () => {
  const hundred = (kind: 'alert' | 'drift') =>
    Array.from({ length: 100 }, (_, index) => raised({ kind, fingerprint: `f${index}`, afterMs: index }));
  const newest = raised({ fingerprint: 'newest', afterMs: hour });

  test.each(['alert', 'drift'] as const)('takes a release back among a hundred of kind %s', (kind) => {
    const { asked, fires } = heard([...hundred(kind), newest], {}, { releasing: true });

    expect(asked.at(-1)).toBe('revert');
    expect(fires).toHaveLength(100);
    expect(fires).not.toContain('f0');
  });

  test.each([
    ['rolls back', hundred('alert'), newest, {}, 'rollback'],
    [
      'starts a run',
      hundred('drift'),
      drift({ fingerprint: 'newest', afterMs: 7 * hour }),
      { monitor: retraining },
      'run',
    ],
  ] as const)('%s all the same', (_, before, last, rules, action) => {
    expect(heard([...before, last], rules).asked.at(-1)).toBe(action);
  });

  test('takes the place of a drift, for it holds new candidates', () => {
    const { fires } = heard([...hundred('drift'), newest], { alerts: { onAlert: 'notify' } });

    expect(fires).toContain('newest');
    expect(fires).toHaveLength(100);
  });

  test('never takes the place of drift that was found here: that would be acted on again', () => {
    const own = drift({ sender: 'serin', fingerprint: 'drift' });

    const { monitor, fires } = heard([own, ...hundred('drift'), newest], {}, { releasing: true });

    expect(Object.values(monitor.alerts).map(({ sender }) => sender)).toContain('serin');
    expect(fires).toContain('newest');
    expect(fires).toHaveLength(101);
  });

  test('is refused when it would only be told', () => {
    const { asked, fires } = heard([...hundred('alert'), newest], { alerts: { onAlert: 'notify' } });

    expect(asked.at(-1)).toBe('refused');
    expect(fires).toContain('f0');
  });
});
