import { expect, test } from 'vitest';
import { recentAnswers } from './recent.ts';

test('an answer is shared until it is old, and whoever wants to know now asks', async () => {
  let [time, asked] = [0, 0];
  const { askedNow, saidLately } = recentAnswers({
    ask: async (name) => `${name} ${++asked}`,
    keptMs: 30,
    now: () => time,
  });

  expect([await saidLately('a'), await saidLately('a'), await saidLately('b')]).toEqual(['a 1', 'a 1', 'b 2']);
  expect([await askedNow('a'), await saidLately('a')]).toEqual(['a 3', 'a 3']);
  time = 30;
  expect(await saidLately('a')).toBe('a 4');
});
