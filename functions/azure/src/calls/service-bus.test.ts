import { describe, expect, test } from 'vitest';
import { credentialOf } from './service-bus.ts';

const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
const inMs = (seconds: number) => Math.floor(Date.now() / 1000 + seconds) * 1000;

describe("the token that Microsoft's client gets", () => {
  const askedFor: string[] = [];
  const got = (token: string) =>
    credentialOf((resource) => {
      askedFor.push(resource);
      return async () => token;
    }).getToken();

  test('is ours for Service Bus, and ends when it says', async () => {
    const until = inMs(3600);

    expect(await got(jwt({ exp: until / 1000 }))).toEqual({
      token: jwt({ exp: until / 1000 }),
      expiresOnTimestamp: until,
    });
    expect(askedFor).toEqual(['https://servicebus.azure.net/']);
  });

  test.each([
    ['nearly over', jwt({ exp: inMs(1) / 1000 })],
    ['of another form', 'opaque'],
    ['without an end', jwt({})],
  ])('that is %s is not asked for again without a pause', async (_, token) => {
    const { expiresOnTimestamp } = await got(token);

    // The client asks two minutes before the end.
    expect(expiresOnTimestamp - Date.now()).toBeGreaterThan(150_000);
    expect(expiresOnTimestamp - Date.now()).toBeLessThanOrEqual(180_000);
  });
});
