import { expect, test } from 'vitest';
import { eventStream } from './sse.ts';

/** A log of so many events, and how often it was read. */
function logOf(count: number) {
  const events = Array.from({ length: count }, (_, index) => ({
    position: index + 1,
    event: {
      ...({ specversion: '1.0', id: `${index}`, source: 's', type: 't', subject: 'm', time: '' } as const),
      ...({ datacontenttype: 'application/json', data: {} } as const),
    },
  }));
  let reads = 0;
  const log = {
    read(after: number, limit: number) {
      reads += 1;
      return events.slice(after, after + limit);
    },
    last: () => events.length,
    subscribe: () => () => undefined,
  };
  return { log, reads: () => reads };
}

test('a reader to whom nothing of a long log may be shown leaves turns to others', async () => {
  const { log, reads } = logOf(50_000);
  const reader = eventStream(log, 0, () => false, 60_000).getReader();
  await reader.read();

  const next = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 0));
  const before = reads();
  await reader.cancel();
  await next;

  expect(before).toBeLessThan(500);
});

test('a reader knows its position before the first event, so that a lost connection loses none', async () => {
  const { log } = logOf(7);
  const reader = eventStream(log, 5, () => true, 60_000).getReader();

  const first = new TextDecoder().decode((await reader.read()).value);
  const second = new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();

  expect(first).toBe('id: 5\n: connected\n\n');
  expect(second).toMatch(/^id: 6\n/);
});

test('many that read a long log at once leave a turn of the event loop between any two parts', async () => {
  const { log, reads } = logOf(2000);
  let [turns, isOver] = [0, false];
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  const readAll = async (): Promise<void> => {
    const reader = eventStream(log, 0, () => true, 60_000).getReader();
    for (let text = ''; !text.includes('id: 2000\n'); ) text = new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
  };

  setImmediate(turn);
  await Promise.all(Array.from({ length: 10 }, readAll));
  isOver = true;

  expect(reads()).toBeGreaterThanOrEqual(200);
  expect(turns).toBeGreaterThan(190);
});
