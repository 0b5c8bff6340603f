import { describe, expect, test } from 'vitest';
import { day } from '../../base/time.ts';
import type { History } from '../../judge/history.ts';
import type { Entry } from '../../ports/journal.ts';
import { converge, healthy, planOf, trainOne, withCanary, withChampion } from '../model.fixture.ts';
import { rulesFor } from './evidence.ts';
import { challenge, type GivenRollout, percentiles, rolloutOf, until, type World } from './judge.fixture.ts';
import { rolloutOwes } from './owes.ts';
import { verifyRollout } from './verify.ts';

const plan = (rollout: GivenRollout = {}) => planOf({ rollout: { steps: [10, 50], guardrails: {}, ...rollout } });
const errorsOnly = { guardrails: { latency: false } } satisfies GivenRollout;

const begun = (rollout: GivenRollout = {}): World => challenge(plan(rollout), 40);

const measures = { errors: { bad: 500, requests: 100_000, typical: 4, noise: 0.2, dispersion: 1, calm: false } };
const history: History = { from: 0, to: 7 * day, ticks: 1440, measures };

const owedBy = ({ drive }: World): readonly string[] => drive.owed().map(({ kind }) => kind);
const past = ['readLatency', 'readHistory'];
const asked = (world: World) => owedBy(world).filter((kind) => past.includes(kind));

describe('the past of a champion is asked for before the first step', () => {
  test('first its percentiles, then its history, by the measures that they make', () => {
    const given = begun();
    expect(asked(given)).toEqual(['readLatency']);

    given.drive.answer('readLatency', { type: 'latencyRead', percentiles });

    expect(given.drive.owed('readHistory')).toMatchObject([
      {
        deployment: 'v1',
        from: rolloutOf(given).championSince,
        to: rolloutOf(given).startedAt,
        tickMs: 60_000,
        measures: ['errors', 'slower than 20 ms', 'slower than 60 ms', 'slower than 200 ms'],
      },
    ]);
  });

  test('its errors where latency is not judged', () => {
    expect(begun(errorsOnly).drive.owed('readHistory')).toMatchObject([{ measures: ['errors'] }]);
  });

  test('no more than the last seven days of it', () => {
    const rollout = rolloutOf(begun(errorsOnly));
    const { startedAt } = rollout;
    const from = (championSince: number) => rolloutOwes({ ...rollout, championSince }, startedAt, 'fraud')[0];

    expect(from(startedAt - 8 * day)).toMatchObject({ from: startedAt - 7 * day });
    expect(from(startedAt - 6 * day)).toMatchObject({ from: startedAt - 6 * day });
  });

  test('not where nothing is compared with it', () => {
    const first = withChampion();
    trainOne(first.drive, 'two');
    const { rollout } = withCanary().drive.state;
    const deploying = { ...rollout, status: 'deploying' as const, deadline: 0 };
    const owed = (more: object) => rolloutOwes({ ...deploying, ...more } as never, 0, 'fraud');

    expect(asked(first as World)).toEqual([]);
    expect(owed({ history: undefined })).toMatchObject([{ kind: 'readHistory' }]);
    expect(owed({ history: undefined, kind: 'rollback' })).toEqual([]);
    expect(owed({ history: undefined, stable: undefined })).toEqual([]);
    expect(owed({ history: undefined, plan: { ...plan().rollout, strategy: 'allAtOnce' } })).toEqual([]);
    expect(owed({ history: 'none' })).toEqual([]);
  });
});

describe('a candidate that is ready', () => {
  /** Ready, with nothing left to wait for but the history. */
  function ready(): World {
    const given = begun();
    given.drive.answer('readLatency', { type: 'latencyRead', percentiles });
    const { drive, endpoint } = given;
    for (let round = 0; round < 9 && drive.state.endpoint.status === 'converging'; round += 1) {
      const [change] = drive.owed('change');
      if (change?.kind === 'change') endpoint.apply(change.operation);
      if (change !== undefined) drive.answer('change', { type: 'endpointChanged', answer: 'accepted' });
      else if (drive.owed('observe').length > 0)
        drive.answer('observe', { type: 'endpointObserved', begunAt: drive.now, observation: endpoint.observe() });
      else drive.wait(1000);
    }
    return given;
  }

  test('waits for the history, which then stays with its rollout and its rules', () => {
    const given = ready();
    expect(rolloutOf(given).status).toBe('deploying');

    given.drive.answer('readHistory', { type: 'historyRead', history });

    for (const status of ['baking', 'guarding', 'promoted'] as const) {
      expect(until(given, healthy, status)).toMatchObject({ status, history });
      expect(rulesFor(rolloutOf(given)).history).toEqual(history);
    }
  });

  test('goes on without one that nobody can say, and no rule has it then', () => {
    const given = ready();

    given.drive.answer('readHistory', { type: 'historyRead' });

    expect(until(given, healthy, 'promoted')).toMatchObject({ status: 'promoted', history: 'none' });
    expect(rulesFor(rolloutOf(given))).not.toHaveProperty('history');
  });

  test('goes on without one that cannot be read in time', () => {
    const given = ready();
    for (let tries = 0; tries < 40 && rolloutOf(given).status === 'deploying'; tries += 1) {
      if (given.drive.owed('readHistory').length > 0)
        given.drive.answer('readHistory', { type: 'effectFailed', because: 'throttled' });
      given.drive.wait(60_000);
      converge(given.drive, given.endpoint);
    }

    expect(rolloutOf(given)).toMatchObject({ latency: percentiles, history: 'none' });
    expect(until(given, healthy, 'promoted').status).toBe('promoted');
  });

  test('goes on without one that is refused', () => {
    const given = ready();

    given.drive.answer('readHistory', { type: 'effectRefused', because: 'not allowed' });

    expect(rolloutOf(given)).toMatchObject({ latency: percentiles, history: 'none' });
  });

  test('whose percentiles are refused still gets the history of the errors', () => {
    const given = begun();

    given.drive.answer('readLatency', { type: 'effectRefused', because: 'not allowed' });

    expect(rolloutOf(given).latency).toBe('none');
    expect(given.drive.owed('readHistory')).toMatchObject([{ measures: ['errors'] }]);
  });

  test('with neither at its deadline goes on without both', () => {
    const given = begun();

    given.drive.wait(rolloutOf(given).plan.readyWithin);

    expect(rolloutOf(given)).toMatchObject({ status: 'deploying', latency: 'none', history: 'none' });
  });
});

test('a verification takes the history as it was read, and finds one that was changed afterwards', () => {
  const given = begun();
  given.drive.answer('readLatency', { type: 'latencyRead', percentiles });
  given.drive.answer('readHistory', { type: 'historyRead', history });
  until(given, healthy, 'promoted');
  const { id } = rolloutOf(given);
  const isRead = ({ signal }: Entry) => (signal as { readonly type?: unknown }).type === 'historyRead';
  const louder = given.drive.entries.map((entry) =>
    isRead(entry)
      ? { ...entry, patch: JSON.parse(JSON.stringify(entry.patch).replace('"noise":0.2', '"noise":0.9')) }
      : entry,
  );

  expect(verifyRollout(given.drive.entries, id).problems).toEqual([]);
  expect(verifyRollout(louder, id).problems.join('\n')).toMatch(
    /history\.measures\.errors\.noise is recorded as 0.9, recomputed as 0.2/,
  );
});

describe('a champion with few requests', () => {
  const parts = [0, 1, 2, 3, 4].map(() => ({ bad: 700, requests: 140_000 }));
  const small = { errors: { bad: 3000, requests: 604_800, parts, typical: 0, dispersion: 1, calm: false } };

  test('has its candidate begin at the first step that can show something, and the rollout says so', () => {
    const given = challenge(planOf({ rollout: { steps: [5, 25, 50], ...errorsOnly } }), 40);

    given.drive.answer('readHistory', { type: 'historyRead', history: { ...history, measures: small } });
    const rollout = until(given, healthy, 'baking');

    expect(rollout).toMatchObject({ steps: [25, 50], step: 0 });
    expect(rollout.story.map(({ text }) => text)).toMatchObject([
      expect.stringMatching(/^the step of 5 % is left out: with 56 requests a minute/),
      'step 1 of 2: 25 % to v2',
    ]);
  });

  test('is expected by the config where nothing is known of its past', () => {
    const rollout = { steps: [5, 25, 50], ...errorsOnly };
    const [few, many] = [60, 600].map((rpm) =>
      until(challenge(planOf({ rollout: { ...rollout, expected: { rpm } } }), 40), healthy, 'baking'),
    );

    expect(few?.steps).toEqual([25, 50]);
    expect(many?.steps).toEqual([5, 25, 50]);
  });
});
