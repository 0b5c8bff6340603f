import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '@serin/api/problem';
import { pushCallers } from '@serin/gcp/calls/identity';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Claims, type Issuer, pushAccount, startGoogle, withoutSignature } from './issuer.ts';

const audience = 'https://europe-west4-acme.cloudfunctions.net/signals';
const unknown = { code: 'unauthenticated' };
const forbidden = { code: 'forbidden' };
const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow;

let issuer: Issuer;
beforeEach(async () => {
  issuer = await startGoogle();
});
afterEach(() => issuer.stop());

function callers({ isBehindIam = false } = {}) {
  const check = pushCallers({ audience, accounts: ['other@x', pushAccount], isBehindIam, keysHost: issuer.host });
  return (authorization: string | undefined, more: IncomingHttpHeaders = {}) => check({ authorization, ...more });
}

test("a token that Google signed for this function and one of its accounts is taken, whichever way Google's name is written", async () => {
  const check = callers();

  await check(await issuer.bearer(audience));
  await check(await issuer.bearer(audience, { email: 'other@x' }));
  await check((await issuer.bearer(audience)).replace('Bearer', 'bearer'));
  await check(await issuer.bearer(audience, { iss: 'accounts.google.com' }));

  expect(issuer.asked()).toBe(1);
});

test.each([
  ['no token', undefined],
  ['an empty token', 'Bearer '],
  ['a password', 'Basic dTpw'],
  ['a text', 'Bearer hello'],
  ['three texts', 'Bearer a.b.c'],
  ['two tokens', 'Bearer a.b.c d.e.f'],
])('%s is refused', async (_, authorization) => {
  await expect(callers()(authorization)).rejects.toMatchObject(unknown);
});

test.each<readonly [string, Claims, object]>([
  ['never expires', { exp: undefined }, unknown],
  ['is expired', { exp: seconds(-1) }, unknown],
  ['is not valid yet', { nbf: seconds(600) }, unknown],
  ['is of another issuer', { iss: 'https://accounts.google.com.evil.example' }, unknown],
  ['names no account', { email: undefined }, unknown],
  ['names another account', { email: 'eve@acme.iam.gserviceaccount.com' }, forbidden],
  ['names an account that is not verified', { email_verified: false }, forbidden],
  ['says that it is verified with a text', { email_verified: 'true' }, forbidden],
])('a token that %s is refused, signed or behind IAM', async (_, claims, refusal) => {
  const token = await issuer.bearer(audience, claims);

  await expect(callers()(token)).rejects.toMatchObject(refusal);
  await expect(callers({ isBehindIam: true })(withoutSignature(token))).rejects.toMatchObject(refusal);
});

test('a token for another function is refused, signed or behind IAM', async () => {
  const token = await issuer.bearer(audience.replace('signals', 'clock'));

  await expect(callers()(token)).rejects.toMatchObject(unknown);
  await expect(callers({ isBehindIam: true })(withoutSignature(token))).rejects.toMatchObject(unknown);
});

test('a token that somebody else signed under the name of a key of Google is refused', async () => {
  await expect(callers()(await issuer.forged(audience))).rejects.toMatchObject(unknown);
  await expect(callers({ isBehindIam: true })(await issuer.forged(audience))).rejects.toMatchObject(unknown);
});

test('a token with an algorithm that Google does not use is refused', async () => {
  const [, payload = ''] = (await issuer.bearer(audience)).split('.');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');

  for (const token of [`Bearer ${none}.${payload}.`, `Bearer ${none}.${payload}.x`]) {
    await expect(callers()(token)).rejects.toMatchObject(unknown);
    await expect(callers({ isBehindIam: true })(token)).rejects.toMatchObject(unknown);
  }
});

test('a token whose signature Google has removed is taken behind IAM, and nowhere else', async () => {
  const token = withoutSignature(await issuer.bearer(audience));

  await callers({ isBehindIam: true })(token);
  await callers({ isBehindIam: true })(await issuer.bearer(audience));

  await expect(callers()(token)).rejects.toMatchObject(unknown);
});

test('behind IAM the token is read that IAM has checked, so that nobody it lets in speaks in the name of another', async () => {
  const check = callers({ isBehindIam: true });
  const ours = withoutSignature(await issuer.bearer(audience));
  const theirs = withoutSignature(await issuer.bearer(audience, { email: 'eve@acme.iam.gserviceaccount.com' }));

  await check(undefined, { 'x-serverless-authorization': ours });
  await check(theirs, { 'x-serverless-authorization': ours });

  for (const checked of [theirs, '', 'Bearer', `${ours}, ${theirs}`])
    await expect(check(ours, { 'x-serverless-authorization': checked })).rejects.toBeInstanceOf(Problem);
});

test.each([500, 404, 302])('a caller may come again while the keys are answered with %i', async (status) => {
  const check = callers();
  const token = await issuer.bearer(audience);
  issuer.answer(status);

  await expect(check(token)).rejects.toMatchObject({ code: 'unavailable' });
  issuer.answer(200);

  await check(token);
});

test('a caller may come again while nobody answers for the keys', async () => {
  const check = callers();
  const token = await issuer.bearer(audience);
  await issuer.stop();

  await expect(check(token)).rejects.toMatchObject({ code: 'unavailable' });
  issuer = await startGoogle();
});
