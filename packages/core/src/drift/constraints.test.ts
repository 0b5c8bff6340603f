import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../config/config.ts';
import { constraintsText, suggestConstraints } from './constraints.ts';
import { type Columns, drawsOf, normal, profileOf, repeat } from './profile.fixture.ts';
import { validateDataset } from './validate.ts';

const rows = 500;
const draw = drawsOf(3);
const dataset = (): Columns => ({
  age: repeat(rows, () => Math.floor(90 * draw())),
  change: repeat(rows, () => normal(draw)),
  share: repeat(rows, () => draw()),
  colour: repeat(rows, () => (draw() < 0.1 ? null : draw() < 0.5 ? 'red' : 'blue')),
  town: repeat(rows, (index) => `town ${index % 40}`),
  day: repeat(rows, () => '2026-01-01'),
  'a "b"\n\u009b: c': repeat(rows, () => true),
});

test('suggests a type, a natural range, a few categories, and room for missing values', () => {
  const { age, change, share, colour, town, day } = suggestConstraints(profileOf(dataset()));

  expect(age).toEqual({ type: 'integer', missing: { atMost: 0.02 }, min: 0 });
  expect(change).toEqual({ type: 'number', missing: { atMost: 0.02 } });
  expect(share).toEqual({ type: 'number', missing: { atMost: 0.02 }, min: 0, max: 1 });
  expect(colour).toMatchObject({ type: 'text', values: ['blue', 'red'] });
  expect(colour?.missing?.atMost).toBeGreaterThan(0.14);
  expect(colour?.missing?.atMost).toBeLessThan(0.2);
  expect(town).toEqual({ type: 'text', missing: { atMost: 0.02 } });
  expect(day).toEqual({ type: 'timestamp', missing: { atMost: 0.02 } });
});

test('other rows of the same kind keep what one dataset suggests', () => {
  const columns = suggestConstraints(profileOf(dataset()));

  const refused = repeat(20, () =>
    validateDataset({ profile: profileOf(dataset()), rules: { columns }, rowsBefore: [] }),
  );

  expect(refused.filter((report) => report.refused).map(({ because }) => because)).toEqual([]);
});

test('the text is a part of a config, in YAML and in TypeScript, whatever the columns are called', () => {
  const columns = suggestConstraints(profileOf(dataset()));
  const text = constraintsText(columns);

  const yaml = parse(`{\n${text}}`);
  const typescript = new Function(`return ({${text}})`)();

  expect(yaml).toEqual({ validate: { columns } });
  expect(typescript).toEqual(yaml);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  const model = {
    ...{ data: { bucket: 'b' }, train: { command: ['x'] }, approval: {}, ...yaml },
  };
  expect(parseConfig({ project: 'p', models: { m: model } })).toHaveProperty('parsed');
});

test('of no rows nothing is promised but that the columns are there', () => {
  expect(suggestConstraints(profileOf({ a: [] }))).toEqual({ a: { missing: { atMost: 1 } } });
});
