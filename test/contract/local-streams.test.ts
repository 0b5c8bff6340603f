import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { bucketOf } from '@serin/local/machine/latency';
import { describe, expect, test } from 'vitest';
import { callTo, counted, deploymentOf, type MachineOptions, newDirectory, openMachine } from './serving-machine.ts';

const sse = 'text/event-stream; charset=utf-8';

async function open(options: MachineOptions = {}) {
  const directory = newDirectory();
  const machine = await openMachine(directory, options);
  await machine.serve('e', [deploymentOf(directory, 1)], { v1: 100 });
  return { ...machine, file: (name: string) => join(directory, name) };
}

/** A request whose answer is the test's to read. */
async function streamed(port: number, type: string, steps: readonly object[], more: object = {}) {
  const call = callTo(port, { 'x-order': JSON.stringify({ stream: { type, steps, ...more } }) });
  call.on('error', () => undefined);
  call.end('{}');
  const [answer] = await once(call, 'response');
  // Read by nobody yet.
  answer.on('error', () => undefined);
  return answer as IncomingMessage;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer) text += chunk;
  return text;
}

describe('an answer that is a stream', () => {
  test.each([sse, 'application/x-ndjson', 'application/jsonl', 'APPLICATION/NDJSON', 'text/plain'])(
    'of %s arrives part by part, while the model still works',
    async (type) => {
      const machine = await open();

      const answer = await streamed(machine.port, type, [
        { text: 'a\n' },
        { until: machine.file('go') },
        { text: 'b\n' },
      ]);
      const [first] = await once(answer, 'data');
      writeFileSync(machine.file('go'), '');

      expect([String(first), await textOf(answer)]).toEqual(['a\n', 'b\n']);
      expect(answer.headers['content-type']).toBe(type);
      expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 1, errors: 0 });
    },
  );

  test('begins before it has anything to say', async () => {
    const machine = await open();

    const answer = await streamed(machine.port, sse, [{ until: machine.file('go') }, { text: 'a\n' }]);
    writeFileSync(machine.file('go'), '');

    expect(await textOf(answer)).toBe('a\n');
  });

  test('is as late as its first byte; another answer is as late as its last', async () => {
    const waitMs = 1500;
    const machine = await open();
    const slowBucket = bucketOf(waitMs * 0.95);
    const bucketOfLast = async () => {
      await counted(machine, 'e', 'v1');
      const [last] = [...machine.counters.rows('e', 0, Number.MAX_SAFE_INTEGER)].slice(-1);
      return Number.parseInt(last?.latencies ?? '', 10);
    };

    await textOf(await streamed(machine.port, sse, [{ text: 'a' }, { waitMs }, { text: 'b' }]));
    const ofStream = await bucketOfLast();
    await textOf(await streamed(machine.port, 'text/plain', [{ text: 'a' }, { waitMs }, { text: 'b' }]));

    expect(ofStream).toBeLessThan(slowBucket);
    expect(await bucketOfLast()).toBeGreaterThanOrEqual(slowBucket);
  });

  test('waits for a caller who reads slowly, and so does its model', async () => {
    const machine = await open();
    const bytes = 64 * 1024 * 1024;
    const sentFile = machine.file('sent');

    const answer = await streamed(machine.port, sse, [{ bytes, sent: sentFile }]);
    const sent = () => (existsSync(sentFile) ? Number(readFileSync(sentFile, 'utf8')) : 0);
    let before = 0;
    const stands = () => {
      const isSame = sent() > 0 && sent() === before;
      before = sent();
      return isSame;
    };
    await expect.poll(stands, { interval: 300, timeout: 20_000 }).toBe(true);
    let read = 0;
    for await (const chunk of answer) read += chunk.length;

    expect(before).toBeLessThan(bytes / 2);
    expect(read).toBe(bytes);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 1, errors: 0 });
  });

  test('that its caller leaves is no error, and its model can stop', async () => {
    const machine = await open();
    const closed = machine.file('closed');

    const answer = await streamed(machine.port, sse, [{ text: 'a' }, { until: closed }], { closed });
    await once(answer, 'data');
    answer.destroy();

    await expect.poll(() => existsSync(closed), { timeout: 10_000 }).toBe(true);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 1, errors: 0 });
  });

  test.each([
    ['breaks off', { cut: true }],
    ['dies', { exit: true }],
    ['falls silent', { never: true }],
  ])('whose model %s in the middle is an error, and its caller sees that', async (_, last) => {
    const machine = await open({ timeoutMs: 700 });

    const answer = await streamed(machine.port, sse, [{ text: 'a' }, last]);

    await expect(textOf(answer)).rejects.toThrow(/aborted/);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 1, errors: 1 });
  });

  test('may last longer than a silence, and is counted once', async () => {
    const machine = await open({ timeoutMs: 500 });
    const steps = Array.from({ length: 6 }, () => [{ waitMs: 150 }, { text: 'a' }]).flat();

    const answer = await streamed(machine.port, sse, steps);

    expect(await textOf(answer)).toBe('aaaaaa');
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 1, errors: 0 });
  });
});
