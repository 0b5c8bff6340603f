import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import type { CaptureOpening, Captures } from './captures.ts';
import { capturing } from './capturing.ts';

afterEach(() => void vi.useRealTimers());

const opening = { rule: { share: 1_000_000, fields: ['a'], keepMs: 1, atMostBytes: 1 } } as unknown as CaptureOpening;

/** A follower of captured requests, and what became of them. */
function open() {
  const ends: string[] = [];
  const captures = {
    open: () => ({ keep: () => void ends.push('kept'), drop: (why: string) => void ends.push(why) }),
  } as unknown as Captures;
  const { follow, close } = capturing(captures);
  const message = (): PassThrough & IncomingMessage =>
    Object.assign(new PassThrough(), { headers: {}, statusCode: 200 }) as unknown as PassThrough & IncomingMessage;
  return {
    ...{ ends, close },
    async ask(body: string | Buffer, isEnded = true) {
      const [request, answer] = [message(), message()];
      const follower = follow(request, opening);
      request.write(body);
      if (isEnded) request.end();
      follower.answering(answer);
      answer.end('1');
      while (!answer.readableEnded) await nextTurn();
      follower.ended('answered', 0);
    },
  };
}

test('the memory of a copy is free once it was read', async () => {
  const { ask, ends } = open();
  const body = Buffer.from(`{"a":"${'x'.repeat(200_000)}"}`);

  for (let asked = 0; asked < 200; asked++) {
    await ask(body);
    await expect.poll(() => ends.length, { interval: 1 }).toBe(asked + 1);
  }

  expect(new Set(ends)).toEqual(new Set(['kept']));
});

test('what waits for seconds is given up, so that the counts of its second are final soon', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { ask, ends } = open();

  await ask('{"a":1}');
  await ask('{"a":1}');
  vi.advanceTimersByTime(2500);
  while (ends.length < 2) await nextTurn();

  expect(ends).toEqual(['kept', 'busy']);
});

test('a request that was answered before it was whole is not captured', async () => {
  const { ask, ends } = open();

  await ask('{"a":', false);
  await expect.poll(() => ends).toEqual(['unanswered']);
});

test('what waits when the gateway closes is given up at once', async () => {
  const { ask, ends, close } = open();
  await ask('{"a":1}');

  close();
  await ask('{"a":1}');

  expect(ends.at(-1)).toBe('busy');
  expect(ends.length).toBe(2);
});

test('large bodies do not hold up small ones', async () => {
  const { ask, ends } = open();
  for (let asked = 0; asked < 20; asked++) await ask(','.repeat(250_000));
  const before = ends.length;

  await ask('{"a":1}');
  await nextTurn();
  await nextTurn();

  expect(ends.slice(before)).toContain('kept');
});

test('copies beyond some megabytes are dropped', async () => {
  const { ask, ends } = open();

  for (let asked = 0; asked < 100; asked++) void ask(Buffer.alloc(250_000), false);
  await ask('{"a":1}');

  await expect.poll(() => ends).toContain('busy');
});
