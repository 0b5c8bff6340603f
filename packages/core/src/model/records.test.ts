import { expect, test } from 'vitest';
import { withChampion } from './model.fixture.ts';
import { keepForRecord, markRecords, recordsOwed, withoutRecord } from './records.ts';
import type { Model } from './state.ts';

const { state } = withChampion().drive;
const id = state.run?.id ?? '';
const model: Model = { ...state, records: { [`run/${id}`]: 7 }, past: {} };
const moment = { at: state.at, seq: 9, by: 'ann' };

test('a run or rollout whose status changed is owed to its own stream, at the revision of the append', () => {
  const before = { ...model, run: { ...model.run, status: 'training' } } as Model;

  expect(markRecords(before, model, moment).records).toEqual({ [`run/${id}`]: 9 });
  expect(markRecords(model, model, moment)).toBe(model);
});

test('a record says what its list shows', () => {
  const [owed] = recordsOwed(model);

  expect(owed).toMatchObject({
    key: `record/run/${id}/7`,
    stream: `run/${id}`,
    record: { id, model: 'fraud', status: 'succeeded' },
    name: { summary: { model: 'fraud', status: 'succeeded', version: 1, endedAt: expect.any(Number) } },
  });
});

test('a run that is replaced before its record was written is kept until then, as it was', () => {
  const kept = keepForRecord(model, 'run');
  const replaced = { ...kept, run: { ...kept.run, id: 'run_2' } } as Model;

  expect(recordsOwed(replaced)).toEqual(recordsOwed(model));
  expect(withoutRecord(replaced, `record/run/${id}/7`)).toMatchObject({ records: {}, past: {} });
  expect(keepForRecord({ ...model, records: {} }, 'run').past).toEqual({});
});

test('an older revision that was written leaves the newer one owed', () => {
  expect(withoutRecord(model, `record/run/${id}/6`)).toBe(model);
});
