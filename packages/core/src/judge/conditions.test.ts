import { describe, expect, test } from 'vitest';
import { endings } from '../model/rollout/endings.fixture.ts';
import { rolloutOf } from '../model/rollout/judge.fixture.ts';
import { breakOf } from './conditions.ts';

describe('each condition of a certificate', () => {
  test.each(Object.entries(endings))('of %s says what breaks it and what to do then', (_, make) => {
    const { certificate } = rolloutOf(make());
    const { conditions = [], conditionIds = [] } = certificate ?? {};

    expect(conditionIds).toHaveLength(conditions.length);
    for (const id of conditionIds)
      expect(breakOf(id)).toEqual({
        assumes: expect.any(Function),
        breaks: expect.stringMatching(/^[a-z].*\w$/),
        mend: expect.stringMatching(/^[a-z].*\w$/),
      });
  });

  test('of a certificate of another version has no sentence of this one', () => {
    expect([breakOf(undefined), breakOf('theMoonIsFull'), breakOf('toString')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

const idsOf = (name: keyof typeof endings) => rolloutOf(endings[name]()).certificate?.conditionIds ?? [];

test('what only one kind of rollout assumes stands only in its certificate', () => {
  expect(idsOf('wrong predictions')).toContain('labels');
  expect(idsOf('users who stay')).toEqual(expect.arrayContaining(['users']));
  expect(idsOf('users who stay')).not.toContain('requests');
  expect(idsOf('a mirror')).toContain('mirrored');
  expect(idsOf('a promotion')).toEqual(expect.arrayContaining(['share', 'noInterference', 'measured', 'laterToo']));
  expect(idsOf('more errors')).not.toContain('laterToo');
  expect(idsOf('a first version')).toEqual(['firstVersion']);
});
