import { expect, test } from 'vitest';
import { aJob } from '../../../../test/contract/jobs.contract.ts';
import { ownVariables, requestVariables } from './request-variables.ts';

const limits = { of: 'The cloud', most: 3, characters: 5 };
const job = aJob('run_1/train/1', { environment: { SM_HP_OWN: 'x', LONG: 'longer', 'odd-name': 'x' } });

test('a variable of a family that a request cannot name is left out', () => {
  const variables = { FINE: 'x', 'odd-name': 'x', LONG: 'longer' };

  expect(requestVariables(job, variables, { MINE: 'y' }, limits)).toEqual({ FINE: 'x', MINE: 'y' });
});

test('those of hyperparameters go first when there are too many, but for one that is the user’s', () => {
  const variables = { ONE: '1', TWO: '2', SM_HP_EPOCHS: '3', SM_HP_OWN: '4' };

  expect(requestVariables(job, variables, {}, limits)).toEqual({ ONE: '1', TWO: '2', SM_HP_OWN: '4' });
});

test.each([
  ['is too long', { PASSWORD: 'secret' }, 'a variable PASSWORD'],
  ['has a name that no request takes', { 'odd-name': 'x' }, 'a variable odd-name'],
  ['is one too many', { A: '1', B: '2', C: '3', D: '4' }, '4 variables'],
])('one of the user’s own that %s is refused, without its text', (_, own, what) => {
  const asking = () => requestVariables(job, {}, own, limits);

  expect(asking).toThrow(
    `the job run_1/train/1 has ${what}; use at most 3 on The cloud, named by letters, digits and _, with values of at most 5 characters`,
  );
  expect(asking).not.toThrow('secret');
});

test('what runs before the command has the user’s own as far as they can be named', () => {
  expect(ownVariables(job, limits)).toEqual({ SM_HP_OWN: 'x' });
});
