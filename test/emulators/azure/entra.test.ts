import { webhookCallers } from '@serin/azure/calls/identity';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Claims, Issuer } from '../issuer.ts';
import { application, monitor, startEntra, tenant } from './entra.ts';

const unknown = { code: 'unauthenticated' };
const forbidden = { code: 'forbidden' };
const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow;
const eventGrid = '4962773b-9cdb-44cf-a8bf-237846a00ab7';
const others = '2d4bd1c5-9c6b-4f32-9e1f-9a3f2c7dffff';

let entra: Issuer;
beforeEach(async () => {
  entra = await startEntra();
});
afterEach(() => entra.stop());

function callers() {
  const audiences = [application, `api://${application}`];
  const check = webhookCallers({ tenant, audiences, callers: [monitor, eventGrid], authority: `${entra.host}/` });
  return (authorization?: string) => check(new Headers(authorization === undefined ? {} : { authorization }));
}
/** The same token in the form of version 2. */
const inForm2 = (): Claims => ({
  ...{ iss: `${entra.host}/${tenant}/v2.0`, ver: '2.0', appid: undefined, azp: monitor, azpacr: '2' },
});

test('a token of Azure Monitor or Event Grid for our application is taken, in either form', async () => {
  const check = callers();

  await check(await entra.bearer(`api://${application}`));
  await check(await entra.bearer(application, inForm2()));
  await check(await entra.bearer(application, { appid: eventGrid }));

  expect(entra.asked()).toBe(1);
});

test.each([undefined, 'Bearer ', 'Basic dTpw', 'Bearer hello', 'Bearer a.b.c'])(
  'what is no token is refused: %j',
  async (authorization) => {
    await expect(callers()(authorization)).rejects.toMatchObject(unknown);
  },
);

test.each<readonly [string, Claims, object]>([
  ['never expires', { exp: undefined }, unknown],
  ['is expired', { exp: seconds(-120) }, unknown],
  ['is not valid yet', { nbf: seconds(600) }, unknown],
  ['is of another issuer', { iss: 'https://evil.example/' }, unknown],
  ['is of another tenant', { iss: `https://sts.windows.net/${others}/`, tid: others }, unknown],
  ['says another tenant than its issuer', { tid: others }, forbidden],
  ['says no tenant', { tid: undefined }, unknown],
  ['is of a person or of another application', { appid: others }, forbidden],
  ['names no application', { appid: undefined }, forbidden],
  ['names its application in the field of the other form', { appid: undefined, azp: monitor }, forbidden],
])('a token that %s is refused', async (_, claims, refusal) => {
  await expect(callers()(await entra.bearer(application, claims))).rejects.toMatchObject(refusal);
});

test('a token for another application is refused: each caller can have Entra make one', async () => {
  await expect(callers()(await entra.bearer('https://management.azure.com/'))).rejects.toMatchObject(unknown);
});

test('a token that somebody else signed under the name of a key of Entra is refused, and one without a signature', async () => {
  const [, payload = ''] = (await entra.bearer(application)).split('.');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');

  for (const token of [await entra.forged(application), `Bearer ${none}.${payload}.`])
    await expect(callers()(token)).rejects.toMatchObject(unknown);
});

test.each([500, 404, 302])('a caller may come again while the keys are answered with %i', async (status) => {
  const check = callers();
  const token = await entra.bearer(application);
  entra.answer(status);

  await expect(check(token)).rejects.toMatchObject({ code: 'unavailable' });
  entra.answer(200);

  await check(token);
});
