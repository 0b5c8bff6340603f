import type { Engine } from '@serin/core/engine/engine';
import { expect, test } from 'vitest';
import { createDispatcher } from '../../packages/local/src/functions.ts';

test('a call that never ends does not keep what came later from being paid', async () => {
  let dispatched = 0;
  const paidAgain = Promise.withResolvers<void>();
  const engine = {
    dispatch: () => {
      dispatched += 1;
      if (dispatched === 2) paidAgain.resolve();
      return dispatched === 1 ? new Promise<void>(() => {}) : Promise.resolve();
    },
  } as unknown as Engine;
  const journal = { due: () => Promise.resolve({ items: [] }) } as never;
  const dispatcher = createDispatcher({ engine, journal, now: Date.now, onFault: () => {} });

  dispatcher.nudge('model/fraud');
  await new Promise(setImmediate);
  dispatcher.nudge('model/fraud');

  await paidAgain.promise;
  expect(dispatched).toBe(2);
}, 5_000);
