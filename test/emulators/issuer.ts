import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** What a token says; what is `undefined` it does not say. */
export type Claims = Readonly<Record<string, unknown>>;

interface Options {
  /** Where the issuer has its keys. */
  readonly keysPath: string;
  /** What each token says; its address is known by then. */
  readonly claims: (host: string) => Claims;
}

/** Signs tokens as somebody does, with keys of its own, and serves those keys where they are looked for. */
export async function startIssuer({ keysPath, claims }: Options) {
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
    response.writeHead(request.url === keysPath ? status : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const signed = (by: typeof known, audience: string, more: Claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, exp: now + 3600 };
    return new SignJWT({ ...claims(host), aud: audience, ...times, ...more })
      .setProtectedHeader({ alg: 'RS256', kid: by.kid, typ: 'JWT' })
      .sign(by.privateKey);
  };

  return {
    host,
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
