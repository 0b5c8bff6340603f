import { expect, test } from 'vitest';
import { tokenRefusals } from './foreign-tokens.ts';

const { bearerIn, refused } = tokenRefusals({ token: 'a token of the house', keys: 'the keys of the house' });

test('the token is what stands after the word, however the word is written', () => {
  expect(['Bearer a.b.c', 'bearer a.b.c'].map(bearerIn)).toEqual(['a.b.c', 'a.b.c']);
});

test.each([undefined, null, '', 'Bearer', 'Bearer ', 'Basic dTpw', 'Bearer a b'])(
  'a request without a token is told which one it needs: %j',
  (authorization) => {
    expect(() => bearerIn(authorization)).toThrow('the request needs a token of the house: it has none; send one');
  },
);

test('what is wrong with a token is for its sender to mend; anything else passes', () => {
  const expired = Object.assign(new Error('it is expired'), { code: 'ERR_JWT_EXPIRED' });

  expect(refused(expired)).toMatchObject({
    code: 'unauthenticated',
    message: expect.stringContaining('it is expired'),
  });
  for (const code of ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ECONNREFUSED', undefined])
    expect(refused(Object.assign(new Error('no answer'), { code }))).toMatchObject({ code: 'unavailable' });
});
