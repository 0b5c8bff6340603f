import { expect, test } from 'vitest';
import { secretsIn } from './secrets.ts';

test('the secrets of webhooks are lists of texts; what is not said is none', () => {
  expect(secretsIn('{"github": ["a", "b"]}', 'the parameter')).toEqual({ github: ['a', 'b'], standard: [] });
});

test.each(['canary', '{"github": "canary"}', '{"standard": ["a", 7, "canary"]}'])(
  'what has another form is refused without its text: %s',
  (text) => {
    const read = () => secretsIn(text, 'the parameter x');

    expect(read).toThrow(/^the parameter x /);
    expect(read).not.toThrow(/canary/);
  },
);
