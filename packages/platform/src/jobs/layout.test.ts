import { expect, test } from 'vitest';
import { diskGb } from './layout.ts';

test('the disk of a job holds its inputs three times, and the files of an image', () => {
  expect(diskGb([])).toBe(30);
  expect(diskGb([{ bytes: 1 }])).toBe(31);
  expect(diskGb([{ bytes: 5e9 }, { bytes: 2.1e9 }])).toBe(30 + 22);
});
