import { describe, expect, test } from 'vitest';
import { day } from '../../base/time.ts';
import { noProbabilities, type Probabilities, withProbabilities } from '../../drift/estimate.ts';
import { artifactOf, planOf } from '../model.fixture.ts';
import { scoreKey } from '../run/steps.ts';
import { modelStart } from '../state.ts';
import type { Version } from '../version.ts';
import { type Drift, driftOwes, planDrift } from './drift.ts';
import { estimateAfter, estimateText, probabilitiesAsked } from './estimate.ts';

const start = Date.UTC(2026, 0, 1);
const judged = { capture: { share: '10%', fields: ['age'] }, drift: {} };
const plan = planOf({ monitor: { ...judged, estimate: { probability: '/1', cutoff: 0.4 } } });
const artifact = artifactOf('m');
const holdout = { kind: 'artifact', artifact: artifactOf('h') } as const;

const version = (metrics: Readonly<Record<string, number>>, own = holdout): Version => {
  const { evaluate } = plan;
  if (evaluate === undefined) throw new Error('no evaluate job');
  return {
    ...{ number: 1, run: 'r', at: start, dataset: 'd', artifact, metrics: {}, holdout, evaluate, serve: plan.serve },
    ...{ lineage: {}, scores: { [scoreKey(artifact, own, evaluate)]: metrics } },
  };
};
const calibrated = version({ auc: 0.9, calibration_error: 0.021, holdout_rows: 900 });
const probable = (rows: number, lacking = 0): Probabilities =>
  withProbabilities(
    noProbabilities,
    Array.from({ length: rows + lacking }, (_, at) => (at < rows ? [0.1, 0.9] : 'no')),
    { pointer: '/1', cutoff: 0.4 },
  );
const after = (seen: Probabilities | undefined, its: Version | undefined = calibrated, isOpen = false) =>
  estimateAfter({ version: 1, isOpen }, seen, { plan, versions: { '1': its } });

describe('what is expected without labels', () => {
  test('is asked of the answers of the version that serves, only where the config says where they have it', () => {
    const drift = {
      version: 3,
      turn: 1,
      from: 0,
      until: day,
      reference: 'ref',
      windows: [],
      status: 'counting',
    } as const;
    const orderOf = (its: typeof plan) => driftOwes(drift, { model: 'fraud', plan: its, versions: {} })[0];

    expect(probabilitiesAsked(3, plan)).toEqual({ of: 'v3', pointer: '/1', cutoff: 0.4 });
    expect(orderOf(plan)).toMatchObject({ kind: 'countCaptured', probabilities: { of: 'v3', pointer: '/1' } });
    expect(orderOf(planOf({ monitor: judged }))).not.toHaveProperty('probabilities');
    expect(planOf({ monitor: { ...judged, estimate: { probability: '' } } }).monitor.estimate).toEqual({
      probability: '',
      cutoff: 0.5,
    });
  });

  test('is of one place in the answers: under a plan with another one, what was counted of a window is void', () => {
    const counted = { counts: 'c', rows: 9, probabilities: probable(9) };
    const drift: Drift = {
      ...{ version: 1, turn: 4, from: 0, until: day, reference: 'ref', windows: [] },
      ...({ status: 'counting', counted, cursor: 'more' } as const),
    };
    const other = planOf({ monitor: { ...judged, estimate: { probability: '/0' } } });
    const orderOf = (its: Drift | undefined) => its && driftOwes(its, { model: 'fraud', plan: other, versions: {} })[0];

    expect(planDrift(drift, { plan, before: plan, at: 1 })).toBe(drift);
    expect(orderOf(drift)).toMatchObject({ key: 'drift/4', cursor: 'more', counted });
    const anew = orderOf(planDrift(drift, { plan: other, before: plan, at: 1 }));
    expect(anew).toMatchObject({ key: 'drift/5', from: 0, probabilities: { pointer: '/0' } });
    expect([anew && 'cursor' in anew, anew && 'counted' in anew]).toEqual([false, false]);
    expect(planDrift(drift, { plan: planOf({}), before: plan, at: 1 })).toBeUndefined();
  });

  test('of another place is in no window of before, nor in one that is being judged', () => {
    const { estimate } = after(probable(1000));
    const window = { from: 0, to: 1, rows: 1000, evidence: 2, threshold: 365, size: 0.02, alarms: [] };
    const drift: Drift = {
      ...{ version: 1, turn: 4, from: 0, until: day, reference: 'ref', windows: [{ ...window, estimate }] },
      ...({ status: 'judging', counted: { counts: 'c', rows: 1000, probabilities: probable(1000) } } as const),
    } as Drift;
    const elsewhere = planOf({ monitor: { ...judged, estimate: { probability: '/1', cutoff: 0.9 } } });
    const next = planDrift(drift, { plan: elsewhere, before: plan, at: 1 });

    expect(next).toEqual({ ...drift, windows: [window], counted: { counts: 'c', rows: 1000 } });
    expect(
      planDrift({ ...drift, status: 'collecting' } as Drift, { plan: elsewhere, before: plan, at: 1 }),
    ).toMatchObject({ windows: [window], turn: 4 });
  });

  test('is of a version whose own evaluate job found its probabilities calibrated', () => {
    expect(after(probable(1000))).toEqual({
      estimate: {
        version: 1,
        rows: 1000,
        accuracy: expect.closeTo(0.9, 9),
        precision: expect.closeTo(0.9, 9),
        recall: 1,
        error: 0.021,
      },
    });
    expect(after(probable(1000), calibrated, true).estimate).toMatchObject({ isDrifted: true });
    expect(after(probable(1000), version({ calibration_error: 0.05 })).estimate?.error).toBe(0.05);
  });

  test.each<readonly [string, Version | undefined, RegExp]>([
    [
      'that reported nothing',
      version({ auc: 0.9 }),
      /^the evaluate job of v1 reported no calibration_error of its hold-out: /,
    ],
    [
      'that was scored on the hold-out of another only',
      version({ calibration_error: 0.01 }, { kind: 'artifact', artifact: artifactOf('other') }),
      /reported no calibration_error/,
    ],
    ['that is not known', undefined, /reported no calibration_error/],
    [
      'that is not calibrated',
      version({ calibration_error: 0.0501 }),
      /^the probabilities of v1 are not calibrated: its calibration_error is 0.0501, and at most 0.05 will do; /,
    ],
    ['whose error cannot be one', version({ calibration_error: -1 }), /not calibrated/],
    [
      'with a small hold-out',
      version({ calibration_error: 0.01, holdout_rows: 199 }),
      /^the hold-out of v1 has 199 rows, and at least 200 /,
    ],
  ])('is not made of a version %s', (_, its, why) => {
    const { estimate, unestimated } = estimateAfter({ version: 1, isOpen: false }, probable(1000), {
      plan,
      versions: its === undefined ? {} : { '1': its },
    });

    expect([estimate, unestimated]).toEqual([undefined, expect.stringMatching(why)]);
  });

  test('is not made of few rows, or where too many answers have no probability', () => {
    expect(after(probable(200)).estimate?.rows).toBe(200);
    expect(after(probable(199))).toEqual({ unestimated: 'it has 199 probabilities, and 200 are needed' });
    expect(after(probable(950, 50)).estimate?.rows).toBe(950);
    expect(after(probable(949, 51))).toEqual({
      unestimated:
        'no probability at /1 in 51 of 1,000 answers: the first has nothing there; see monitor.estimate.probability',
    });
    expect(after(probable(0))).toEqual({ unestimated: 'it has 0 probabilities, and 200 are needed' });
    expect(after(undefined)).toEqual({});
  });

  test('is told of a window, with a word on drift, and nothing of an earlier version', () => {
    const window = { from: start, to: start + day, rows: 1000, evidence: 2, threshold: 365, size: 0.02, alarms: [] };
    const drift = (more: object): Drift => ({
      ...{ version: 1, turn: 1, from: 0, until: day, reference: 'ref', status: 'collecting' },
      ...{ windows: [{ ...window, ...after(probable(1000)) }] },
      ...more,
    });
    const told = (its: object, more: object = {}) =>
      estimateText({
        ...modelStart('fraud', plan, 1, start),
        champion: 1,
        versions: { '1': calibrated },
        drift: drift(its),
        ...more,
      });
    const incident = { level: 'major', since: 1, at: 1, newsAt: 1, version: 1, size: 0.2, clean: 0, columns: ['age'] };
    const said =
      'estimated without labels: v1 should be right in 90 % of 1,000 answers of the last window (precision 90 %, recall 100 %); on its hold-out its probabilities were off by 2.1 points on average';

    expect(told({})).toBe(said);
    expect(told({ incident })).toBe(`${said}; requests have drifted, so it may be wrong`);
    expect(told({ unestimated: 'it has 199 probabilities, and 200 are needed' })).toBe(
      'nothing is estimated of the last window: it has 199 probabilities, and 200 are needed',
    );
    expect(told({ windows: [] })).toBe('nothing is estimated of v1 yet: its first window is awaited');
    expect(told({}, { versions: { '1': version({}) } })).toMatch(
      /^nothing is estimated without labels: the evaluate job of v1/,
    );
    expect(told({}, { champion: 2, versions: { '2': calibrated } })).toBe(
      'nothing is estimated of v2 yet: its first window is awaited',
    );
    expect(told({}, { drift: undefined })).toBe('nothing is estimated without labels while drift is not judged');
    expect(told({}, { plan: planOf({ monitor: judged }) })).toBeUndefined();
  });
});
