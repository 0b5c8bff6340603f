import { expect, test } from 'vitest';
import { manifestFile } from './supplies.ts';

test("SageMaker's manifest file is one array: where the objects lie, then their paths", () => {
  const { begin, item, end } = manifestFile;

  const text = begin('drops', 'fraud/2024/') + item('a.csv') + item('b "c".csv') + end;

  expect(JSON.parse(text)).toEqual([{ prefix: 's3://drops/fraud/2024/' }, 'a.csv', 'b "c".csv']);
});
