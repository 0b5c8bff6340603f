import { expect, test } from 'vitest';
import { byServingKind, type ServingKind } from './serving.ts';

test('a kind of serving is what the platform has for it, and another one is refused in plain words', () => {
  const serving = byServingKind('one machine', { endpoint: 'its servers' });

  expect(serving('endpoint')).toBe('its servers');
  expect(() => serving('serverless' as ServingKind)).toThrow(
    "one machine cannot serve on 'serverless': set serve.on to one of endpoint",
  );
  expect(() => serving('toString' as ServingKind)).toThrow('cannot serve on');
});
