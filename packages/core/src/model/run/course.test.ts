import { expect, test } from 'vitest';
import { type Driver, driver, planOf, score, trainOne } from '../model.fixture.ts';
import { courseReader } from './course.ts';

const read = ({ entries }: Pick<Driver, 'entries'>, id: string) => {
  const reader = courseReader(id);
  reader.take(entries);
  return reader;
};
const textOf = ({ steps }: ReturnType<typeof read>) =>
  steps.map(({ step, attempt, to }) => `${step} ${attempt}${to === undefined ? ' …' : ''}`);

test('a run that goes on has the step that it is in, open', () => {
  const drive = driver(planOf());

  trainOne(drive, 'one');
  const { run } = drive.state;

  const course = read(drive, run?.id ?? '');
  expect(textOf(course).at(-1)).toMatch(/evaluate 1 …$/);
  expect(textOf(course)[0]).not.toContain('…');
  expect(course.isOver).toBe(false);
});

test('a run that has ended has each of its steps, one after the other', () => {
  const drive = driver(planOf());
  trainOne(drive, 'one');
  score(drive, 0.8);
  const { id = '' } = drive.state.run ?? {};
  trainOne(drive, 'two');

  const { steps, isOver } = read(drive, id);

  expect(isOver).toBe(true);
  expect(steps.map(({ step }) => step)).toEqual(expect.arrayContaining(['train', 'evaluate']));
  for (const [index, { from, to }] of steps.entries()) {
    expect(to).toBeGreaterThanOrEqual(from);
    expect(from).toBeGreaterThanOrEqual(steps[index - 1]?.to ?? 0);
  }
});

test('a later run is read alone, from the entry in which it began', () => {
  const drive = driver(planOf());
  trainOne(drive, 'one');
  score(drive, 0.8);
  trainOne(drive, 'two');
  score(drive, 0.82);
  const { id = '', startedAt = 0 } = drive.state.run ?? {};

  const reader = courseReader(id);
  reader.take(drive.entries.filter(({ at }) => at >= startedAt));

  expect(reader.steps.map(({ step }) => step)).toContain('train');
  expect(reader.steps).toEqual(read(drive, id).steps);
});

test('a run that is not there has no steps', () => {
  expect(read(driver(planOf()), 'run_1').steps).toEqual([]);
});
