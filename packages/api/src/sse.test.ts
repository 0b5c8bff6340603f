import { expect, test } from 'vitest';
import { eventStream } from './sse.ts';

test('a reader to whom nothing of a long log may be shown leaves turns to others', async () => {
  const events = Array.from({ length: 50_000 }, (_, index) => ({
    position: index + 1,
    event: {
      ...({ specversion: '1.0', id: `${index}`, source: 's', type: 't', subject: 'm', time: '' } as const),
      ...({ datacontenttype: 'application/json', data: {} } as const),
    },
  }));
  const read: number[] = [];
  const log = {
    read(after: number, limit: number) {
      read.push(after);
      return events.slice(after, after + limit);
    },
    last: () => events.length,
    subscribe: () => () => undefined,
  };
  const reader = eventStream(log, 0, () => false, 60_000).getReader();
  await reader.read();

  const next = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 0));
  const before = read.length;
  await reader.cancel();
  await next;

  expect(before).toBeLessThan(events.length / 100);
});
