import type { CloudEvent } from '@serin/core/ports/bus';
import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { attributesOf, batches, eventText, streamOf } from './events.ts';

const event = (text: string): CloudEvent => ({
  specversion: '1.0',
  id: 'model/fraud/3/0',
  source: 'serin',
  type: 'dev.serin.run.started.v1',
  subject: 'model/fraud',
  time: '2026-11-29T12:00:00.000Z',
  datacontenttype: 'application/json',
  data: { text },
});

describe('an event', () => {
  const bytesOf = (of: CloudEvent) => Buffer.byteLength(JSON.stringify(of));

  test('that just fits is sent whole, and one byte more by reference to its whole text', async () => {
    const bucket = atOnce(memoryBucket());
    const maxBytes = bytesOf(event('ää'));
    const claim = { maxBytes, bucket, uriOf: (key: string) => `store://own/${key}` };

    const whole = await eventText(event('ää'), claim);
    const checked = JSON.parse(await eventText(event('ääa'), claim));

    expect(JSON.parse(whole)).toEqual(event('ää'));
    expect(checked).toMatchObject({
      id: 'model/fraud/3/0',
      dataref: expect.stringMatching(/^store:\/\/own\/events\//),
    });
    expect(checked.data).toBeUndefined();
    const stored = await bucket.read({ key: checked.dataref.slice('store://own/'.length), maxBytes: 10_000 });
    expect(JSON.parse(Buffer.from(stored?.content ?? []).toString())).toEqual(event('ääa'));
  });

  test.each([
    ['as many as a call takes', ['a', 'b', 'c', 'd', 'e'], [['a', 'b'], ['c', 'd'], ['e']]],
    [
      'as many bytes as a call takes',
      ['aaa', 'bb', 'cccc', 'd'],
      [
        ['aaa', 'bb'],
        ['cccc', 'd'],
      ],
    ],
    ['one that is over by itself alone', ['a', 'bbbbbb', 'c'], [['a'], ['bbbbbb'], ['c']]],
    ['none', [], []],
  ])('goes out in order: %s', (_, items, expected) => {
    expect(batches(items, ({ length }) => length, { items: 2, bytes: 5 })).toEqual(expected);
  });

  test.each([
    ['model/fraud/3/0', 'model/fraud'],
    ['project/12/7', 'project'],
    ['of-another-form', 'of-another-form'],
  ])('of the id %s is of the stream %s', (id, stream) => {
    expect(streamOf({ ...event(''), id })).toBe(stream);
  });

  test('says all of it beside the text, but for its data', () => {
    expect(attributesOf({ ...event(''), id: 'project/1/0' }, 'ce-')).toEqual({
      'ce-specversion': '1.0',
      'ce-id': 'project/1/0',
      'ce-source': event('').source,
      'ce-type': event('').type,
      'ce-subject': event('').subject,
      'ce-time': event('').time,
    });
  });
});
