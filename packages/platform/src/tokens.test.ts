import { expect, test } from 'vitest';
import { keptTokens } from './tokens.ts';

const minute = 60_000;

/** Who gives tokens that are numbered and last for an hour; `fails`: by the count, what it throws instead. */
function worldOf(fails: (count: number) => Error | undefined = () => undefined) {
  const world = { now: 1_700_000_000_000, asked: 0 };
  const tokens = keptTokens({
    from: 'the server of tokens',
    async ask() {
      world.asked += 1;
      const error = fails(world.asked);
      if (error !== undefined) throw error;
      return { token: `token-${world.asked}`, seconds: 3600 };
    },
    marginMs: 5 * minute,
    now: () => world.now,
  });
  return { tokens, world };
}

test('a token is kept until its margin before it expires', async () => {
  const { tokens, world } = worldOf();

  expect(await tokens()).toBe('token-1');
  world.now += 55 * minute - 1;
  expect(await tokens()).toBe('token-1');
  world.now += 1;
  expect(await tokens()).toBe('token-2');
});

test('calls at the same time ask for one token', async () => {
  const { tokens, world } = worldOf();

  const answered = await Promise.all(Array.from({ length: 20 }, () => tokens()));

  expect(new Set(answered)).toEqual(new Set(['token-1']));
  expect(world.asked).toBe(1);
});

test('a token that was refused is renewed once, however many calls were refused', async () => {
  const { tokens, world } = worldOf();
  const first = await tokens();

  const renewed = await Promise.all(Array.from({ length: 20 }, () => tokens(first)));

  expect(new Set(renewed)).toEqual(new Set(['token-2']));
  expect(await tokens(first)).toBe('token-2');
  expect(await tokens()).toBe('token-2');
  expect(world.asked).toBe(2);
});

test('one answer that fails is asked for again', async () => {
  const { tokens } = worldOf((count) => (count === 1 ? new Error('HTTP 503') : undefined));

  expect(await tokens()).toBe('token-2');
});

test('two that fail are unavailable, with the reason, and the next call asks anew', async () => {
  const { tokens } = worldOf((count) => (count <= 2 ? new Error('HTTP 503') : undefined));

  await expect(tokens()).rejects.toMatchObject({
    code: 'unavailable',
    message: 'no access token from the server of tokens; wait, it is tried again: HTTP 503',
  });
  expect(await tokens()).toBe('token-3');
});
