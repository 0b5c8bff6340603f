import { newestFirst } from '../base/ids.ts';
import type { Json } from '../base/json.ts';
import type { Effect } from './protocol.ts';
import type { Model, Moment } from './state.ts';

/** Each run and rollout has a stream of its own, for its record: owed whenever it changed. */
const recorded = ['run', 'rollout'] as const;
type Recorded = (typeof recorded)[number];

/** The records that are to be written, each with the row that lists it. */
export function recordsOwed(model: Model): readonly Effect[] {
  return Object.entries(model.records).flatMap(([stream, revision]): Effect[] => {
    const live = recorded.map((what) => model[what]).find((item, index) => stream === `${recorded[index]}/${item?.id}`);
    const record = (model.past[stream] ?? live) as Model[Recorded] | undefined;
    if (record === undefined) return [];
    const [kind = '', id = ''] = stream.split('/');
    const summary = {
      model: model.model,
      id,
      status: record.status,
      startedAt: record.startedAt,
      ...('endedAt' in record ? { endedAt: record.endedAt } : {}),
      ...numbersOf(record),
    };
    return [
      {
        key: `record/${stream}/${revision}`,
        kind: 'record',
        stream,
        revision,
        record: { ...record, model: model.model } as unknown as Json,
        name: { key: `${kind}/${newestFirst(id)}`, summary },
      },
    ];
  });
}

function numbersOf(record: NonNullable<Model[Recorded]>): { readonly [key: string]: Json } {
  const because =
    'because' in record ? (typeof record.because === 'string' ? record.because : record.because.text) : '';
  const text = because.length > 300 ? `${because.slice(0, 299)}…` : because;
  if ('candidate' in record)
    return {
      version: record.candidate,
      because: text,
      ...(record.kind === 'rollback' ? { kind: record.kind } : {}),
      ...(record.stable === undefined ? {} : { stable: record.stable }),
    };
  return {
    trigger: record.trigger.kind,
    dataset: record.dataset.digest,
    because: text,
    ...(record.trained === undefined ? {} : { version: record.trained.number }),
  };
}

/** A record was written: the revision that is owed, or an older one. */
export function withoutRecord(model: Model, key: string): Model {
  const [, kind, id, revision] = key.split('/');
  const stream = `${kind}/${id}`;
  const { [stream]: __, ...past } = model.past;
  if (model.records[stream] !== Number(revision)) return model;
  const { [stream]: _, ...records } = model.records;
  return { ...model, records, past };
}

/** Keeps what is about to be replaced until it has been written to its own stream. */
export function keepForRecord(model: Model, what: Recorded): Model {
  const old = model[what];
  if (old === undefined) return model;
  const stream = `${what}/${old.id}`;
  return model.records[stream] === undefined
    ? model
    : { ...model, past: { ...model.past, [stream]: JSON.parse(JSON.stringify(old)) } };
}

/** Whatever changed in a run or a rollout is owed to its own stream. */
export function markRecords(before: Model | undefined, after: Model, { seq }: Moment): Model {
  let records = after.records;
  for (const what of recorded) {
    const now = after[what];
    const was = before?.[what];
    if (now === undefined || (was?.id === now.id && was.status === now.status)) continue;
    records = { ...records, [`${what}/${now.id}`]: seq };
  }
  return records === after.records ? after : { ...after, records };
}
