import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { copyBody, type Room, roomOf } from './body-copy.ts';

/** A request on its way, whose copy is made into a room. */
function begin(room: Room, maxBytes = 100) {
  const request = new PassThrough();
  const ends: string[] = [];
  const copy = copyBody(request, { room, maxBytes, onEnd: () => ends.push(copy.state()) });
  async function send(bytes: number): Promise<void> {
    const arrived = once(request, 'data');
    request.write(Buffer.alloc(bytes));
    await arrived;
  }
  async function end(): Promise<void> {
    request.end();
    await once(request, 'close');
  }
  async function breakOff(): Promise<void> {
    request.destroy();
    await once(request, 'close');
  }
  const kept = () => copy.chunks().reduce((sum, chunk) => sum + chunk.length, 0);
  return { copy, ends, send, end, breakOff, kept };
}

/** How many bytes of a room of 100 nobody has. */
function freeIn(room: Room): number {
  let free = 0;
  while (room.take(1)) free += 1;
  room.give(free);
  return free;
}

test('keeps a body until it is given up', async () => {
  const room = roomOf(100);
  const { copy, ends, send, end, kept } = begin(room);

  await send(30);
  await send(20);
  await end();

  expect([copy.state(), kept(), freeIn(room)]).toEqual(['whole', 50, 50]);
  expect(copy.endedAt()).toBeLessThanOrEqual(performance.now());
  copy.giveUp();
  copy.giveUp();
  expect([copy.state(), kept(), freeIn(room)]).toEqual(['whole', 0, 100]);
  expect(ends).toEqual(['whole']);
});

test('keeps nothing of one that breaks off, or is larger than allowed', async () => {
  const room = roomOf(100);
  const broken = begin(room);
  await broken.send(30);
  await broken.breakOff();
  const large = begin(room, 40);
  await large.send(30);
  await large.send(11);
  await large.end();

  expect([broken.ends, large.ends]).toEqual([['spoilt'], ['spoilt']]);
  expect([broken.kept(), large.kept(), freeIn(room)]).toEqual([0, 0, 100]);
});

test('drops one for which there is no room, and leaves the others alone', async () => {
  const room = roomOf(100);
  const first = begin(room);
  await first.send(60);
  const second = begin(room);
  await second.send(30);
  await second.send(30);
  await second.end();

  expect([first.copy.state(), first.kept()]).toEqual(['coming', 60]);
  expect([second.ends, second.kept(), freeIn(room)]).toEqual([['dropped'], 0, 40]);
});

test('keeps nothing of what comes after it was given up', async () => {
  const room = roomOf(100);
  const { copy, ends, send, end, kept } = begin(room);
  await send(30);

  copy.giveUp();
  await send(30);
  await end();

  expect(ends).toEqual(['spoilt']);
  expect([copy.state(), kept(), freeIn(room)]).toEqual(['spoilt', 0, 100]);
});
