import { expect, test } from 'vitest';
import {
  converge,
  type Driver,
  driver,
  fakeEndpoint,
  healthy,
  planOf,
  score,
  serveTicks,
  trainOne,
} from './model.fixture.ts';
import { type Why, whyModel, whyRollout, whyRun, whyVersion } from './why.ts';

/** Everything that can be asked of a model now. */
function reasons({ state }: Driver): readonly Why[] {
  return [
    whyModel(state, state.at),
    ...(state.run === undefined ? [] : [whyRun(state.run, state.model)]),
    ...(state.rollout === undefined ? [] : [whyRollout(state.rollout, state.model)]),
    ...Object.values(state.versions).map((version) => whyVersion(version, state, state.at)),
  ];
}

test('at every step of a release and of its rollback there is one line, finite numbers and a story in order', () => {
  const drive = driver();
  const endpoint = fakeEndpoint();
  const seen = new Set<string>();
  const check = () => {
    for (const { sentence, numbers, story } of reasons(drive)) {
      expect(sentence).toMatch(/^\S.*\S$/);
      expect(sentence).not.toMatch(/[\n\r]|undefined|NaN|\[object/);
      expect(Object.values(numbers).every(Number.isFinite)).toBe(true);
      expect(story.map(({ at }) => at)).toEqual(story.map(({ at }) => at).sort());
    }
    seen.add(`run ${drive.state.run?.status}`).add(`rollout ${drive.state.rollout?.status}`);
  };
  const steps = [
    () => trainOne(drive, 'one'),
    () => score(drive, 0.8),
    () => converge(drive, endpoint),
    () => serveTicks(drive, healthy),
    () => converge(drive, endpoint),
    () => trainOne(drive, 'two'),
    () => score(drive, 0.82, 0.8),
    () => converge(drive, endpoint),
    () => drive.say({ type: 'pauseRequested' }),
    () => drive.say({ type: 'resumeRequested' }),
    () =>
      drive.say({
        type: 'alertRaised',
        kind: 'alert',
        sender: 'grafana',
        fingerprint: 'f',
        startedAt: 'now',
        title: 'too\nslow',
      }),
    () => converge(drive, endpoint),
    () => trainOne(drive, 'three'),
    () => score(drive, 0.4),
  ];

  for (const step of steps) {
    step();
    check();
  }

  expect([...seen]).toEqual(
    expect.arrayContaining([
      'run refused',
      'run succeeded',
      'rollout paused',
      'rollout promoted',
      'rollout rolledBack',
    ]),
  );
  expect(whyVersion(drive.state.versions['2'] as never, drive.state, drive.state.at).sentence).toBe(
    'v2 of fraud is quarantined: alert from grafana: too slow',
  );
});

test('a version that waits for a yes says so, with the verdict', () => {
  const drive = driver(planOf({ approval: { required: true } }));
  trainOne(drive, 'one');
  score(drive, 0.8);

  const [version] = Object.values(drive.state.versions);

  expect(version === undefined ? '' : whyVersion(version, drive.state, drive.state.at).sentence).toMatch(
    /^v1 of fraud waits for approval until 2026-\d\d-\d\d \d\d:\d\d:\d\d UTC; the gate passed: auc 0.8, at least 0.5 wanted$/,
  );
  expect(whyModel(drive.state, drive.state.at).sentence).toContain('v1 waits for approval');
});

test('a decision is told with the name and the note of whoever made it', () => {
  const drive = driver(planOf({ approval: { required: true } }));
  trainOne(drive, 'one');
  score(drive, 0.8);

  drive.say({ type: 'approvalGiven', version: 1, approved: false, note: 'wrong\nweek' });

  const version = drive.state.versions['1'];
  const told = version === undefined ? undefined : whyVersion(version, drive.state, drive.state.at);
  expect(told?.sentence).toMatch(/^v1 of fraud was never rolled out: rejected by \w+: wrong week$/);
  expect(told?.story.at(-1)?.text).toMatch(/^rejected by \w+: wrong week$/);
});

test('what serves is said once, and ids are short', () => {
  const drive = driver();
  const endpoint = fakeEndpoint();
  trainOne(drive, 'one');
  score(drive, 0.8);
  converge(drive, endpoint);
  serveTicks(drive, healthy);
  converge(drive, endpoint);

  const all = reasons(drive).flatMap(({ sentence, story }) => [sentence, ...story.map(({ text }) => text)]);

  expect(drive.state.rollout?.status).toBe('promoted');
  expect(whyModel(drive.state, drive.now).sentence).not.toContain('was promoted');
  expect(all.join('\n')).not.toMatch(/_[0-9a-f]{13}|\d{4}-\d\d-\d\dT/);
});

test('what is said of the time counts from now, not from the last entry', () => {
  const drive = driver();
  const endpoint = fakeEndpoint();
  trainOne(drive, 'one');
  score(drive, 0.8);
  converge(drive, endpoint);
  serveTicks(drive, healthy);
  converge(drive, endpoint);
  const { at } = drive.state;
  const quietUntil = at + 60_000;
  const state = {
    ...drive.state,
    intake: { ...drive.state.intake, status: 'settling' as const, since: at, quietUntil },
  };

  const [soon, later] = [quietUntil - 5_000, quietUntil - 4_000].map((now) => whyModel(state, now).sentence);
  const version = whyVersion(state.versions['1'] as never, state, (state.served[0]?.at ?? 0) + 90_000);

  expect(soon).toContain('listed in 5s');
  expect(later).toContain('listed in 4s');
  expect(version.sentence).toContain('(1m 30s ago)');
});

test('says of a deployment that is not ready what its platform knows, in one line', () => {
  const drive = driver();
  trainOne(drive, 'one');
  score(drive, 0.8);
  drive.wait(1000);
  const deployment = { name: 'v1', version: 1, status: 'pending', reason: 'it does not answer\non port 8080' };

  drive.answer('observe', {
    type: 'endpointObserved',
    begunAt: drive.now,
    observation: { deployments: [deployment], weights: {}, busy: false },
  });

  expect(whyModel(drive.state, drive.now).sentence).toContain('v1 is not ready: it does not answer on port 8080');
});

test.each([
  [true, 'approved'],
  [false, 'rejected'],
])('what a person wrote with a decision (%s) stands in the story of the version', (approved, word) => {
  const drive = driver(planOf({ approval: { required: true } }));
  trainOne(drive, 'one');
  score(drive, 0.8);

  drive.say({ type: 'approvalGiven', version: 1, approved, note: 'seen with\nthe team' });

  const { story } = whyVersion(drive.state.versions['1'] as never, drive.state, drive.state.at);
  expect(story.map(({ text }) => text)).toContainEqual(`${word} by ann: seen with the team`);
});

test('a start that came to no run is in the story of the model, with the reason', () => {
  const drive = driver();
  trainOne(drive, 'one');
  score(drive, 0.4);

  drive.say({ type: 'runRequested', trigger: { kind: 'manual' } });

  expect(whyModel(drive.state, drive.state.at).story.map(({ text }) => text)).toContainEqual(
    expect.stringMatching(/^no run by manual: equal inputs: the same dataset, code and parameters as run_/),
  );
});

test('a run that was asked for and has not begun says what it waits for', () => {
  const freeze = { by: 'fay', because: 'audit' };
  const [frozen, busy] = [driver(), driver()];
  trainOne(frozen, 'one');
  score(frozen, 0.4);
  frozen.say({ type: 'configReleased', revision: 9, plan: planOf(), freeze });
  trainOne(busy, 'one');

  for (const drive of [frozen, busy]) drive.say({ type: 'runRequested', trigger: { kind: 'manual', force: true } });

  const empty = { ...driver().state, queued: { trigger: { kind: 'schedule' as const }, at: 0, by: 'time' } };
  const said = [frozen.state, busy.state, empty].map((state) => whyModel(state, state.at).sentence);
  expect(said[0]).toContain('; a run by manual waits for the end of the freeze');
  expect(said[1]).toMatch(/; a run by manual waits for the end of run run_\w+/);
  expect(said[2]).toContain('; a run by schedule waits for data');
});
