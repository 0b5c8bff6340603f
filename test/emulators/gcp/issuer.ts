import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const account = 'push@acme.iam.gserviceaccount.com';

/** What a token says; what is `undefined` it does not say. */
export type Claims = Readonly<Record<string, unknown>>;

/** Signs ID tokens as Google does, with keys of its own, and serves those keys where Google has them. */
export async function startIssuer() {
  const made = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    return { kid, privateKey, published: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
  };
  const [known, forger] = await Promise.all([made('k1'), made('k1')]);
  const keys = [known.published];
  let status = 200;
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    response.writeHead(request.url === '/oauth2/v3/certs' ? status : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const signed = (by: typeof known, audience: string, more: Claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: 'https://accounts.google.com', aud: audience, sub: '113774264463038321964' };
    const times = { iat: now, exp: now + 3600 };
    return new SignJWT({ ...claims, ...times, email: account, email_verified: true, ...more })
      .setProtectedHeader({ alg: 'RS256', kid: by.kid, typ: 'JWT' })
      .sign(by.privateKey);
  };

  return {
    host: `http://127.0.0.1:${port}`,
    /** How often the keys were asked for. */
    asked: () => asked,
    /** From now on the keys are answered so. */
    answer(next: number) {
      status = next;
    },
    /** The value of `Authorization`. */
    bearer: async (audience: string, more?: Claims) => `Bearer ${await signed(known, audience, more)}`,
    forged: async (audience: string) => `Bearer ${await signed(forger, audience)}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

export const pushAccount = account;

/** A token as a function behind IAM gets it. https://docs.cloud.google.com/run/docs/troubleshooting#signature-removed */
export const withoutSignature = (bearer: string): string => bearer.replace(/\.[^.]*$/, '.SIGNATURE_REMOVED_BY_GOOGLE');
