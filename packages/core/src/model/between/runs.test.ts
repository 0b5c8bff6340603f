import { describe, expect, test } from 'vitest';
import { planOf, withChampion } from '../model.fixture.ts';

describe('runs with the same data and code', () => {
  const image = 'registry.example/fraud';
  const train = { command: ['node', 'train.mjs'], image: `${image}:1` };
  const asked = (trigger = {}) => ({ type: 'runRequested', trigger: { kind: 'ci', ...trigger } }) as const;

  function withEqualInputs() {
    const { drive } = withChampion(planOf({ train }));
    drive.say(asked());
    expect(drive.state.skipped?.because).toContain('equal inputs');
    return { drive, before: drive.state.run?.id };
  }

  test.each([
    ['another image', { image: `${image}:2` }],
    ['another commit', { commit: 'c0ffee' }],
    ['a run that is wanted all the same', { force: true }],
    ['another hyperparameter', { hyperparameters: { depth: '3' } }],
  ])('are begun with %s', (_, more) => {
    const { drive, before } = withEqualInputs();

    drive.say(asked(more));

    expect(drive.state.run?.id).not.toBe(before);
  });

  test('are begun again when the one before came to nothing', () => {
    const { drive } = withEqualInputs();
    drive.say(asked({ commit: 'c0ffee' }));
    const cancelled = drive.state.run?.id;
    drive.say({ type: 'cancelRequested' });
    expect(drive.state.run?.status).toBe('cancelled');

    drive.say(asked({ commit: 'c0ffee' }));

    expect(drive.state.run?.id).not.toBe(cancelled);
  });
});
