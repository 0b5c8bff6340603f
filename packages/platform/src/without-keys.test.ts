import { expect, test } from 'vitest';
import { withoutKeys } from './without-keys.ts';

const within = (_: string, text: string): string => (text.startsWith('{') ? withoutKeys(text, /^env$/, within) : text);

test('what stands under a key is left out, wherever the key is', () => {
  const bare = withoutKeys('{"a":[{"env":{"KEY":"s3cret"},"b":1}],"env":"s3cret"}', /^env$/);

  expect(bare).toBe('{"a":[{"b":1}]}');
});

test('a text that is a message of its own is looked through as well', () => {
  const inner = JSON.stringify({ env: 's3cret', c: 1 });

  expect(withoutKeys(JSON.stringify({ request: inner }), /^env$/, within)).toBe('{"request":"{\\"c\\":1}"}');
});

test.each(['{"n": 12345678901234567890, "text": "env"}', 'env: no JSON', '', '"env"'])(
  'a body without such a key stays as it is: %j',
  (body) => {
    expect(withoutKeys(body, /^env$/, within)).toBe(body);
  },
);
