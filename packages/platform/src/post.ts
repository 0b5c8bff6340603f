import { lookup } from 'node:dns/promises';
import { request as http, type IncomingHttpHeaders } from 'node:http';
import { request as https } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@serin/core/base/fault';
import type { SinkRequest } from '@serin/core/sinks/sink';

export interface Answered {
  readonly status: number;
  /** The beginning of the answer, in one line; it may repeat what was sent. */
  readonly text: string;
  /** The whole answer, up to 1 MB. */
  readonly body: string;
  readonly retryAfterMs?: number;
}

const longestMs = 6000;
const longestLookUpMs = 3000;
const longestText = 2000;
const longestBody = 1_000_000;

/**
 * Networks that are not the public internet: RFC 6890 with its updates, and the addresses on which clouds answer their
 * machines. One of these, 168.63.129.16 of Azure, looks public. Of IPv6, only 2000::/3 is public.
 */
const privateNetworks = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  privateNetworks.ipv4.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['4000::', 2],
  ['8000::', 1],
] as const)
  privateNetworks.ipv6.addSubnet(network, prefix, 'ipv6');

export function isPrivate(address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return privateNetworks[family].check(address, family);
}

/**
 * One request. The name is resolved once, and the request goes to the address that was checked, so a second answer of the
 * name server changes nothing. No redirect is followed. A host in `allowPrivate` may have a private address, and
 * `http:`.
 */
export async function post(
  { method, url: text, headers, body }: SinkRequest,
  allowPrivate: readonly string[],
): Promise<Answered> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined)
    throw new Fault('unavailable', 'its url is not an address; write one such as https://example.com/hook');
  const isAllowed = allowPrivate.includes(url.host) || allowPrivate.includes(url.hostname);
  if (url.protocol !== 'https:' && !(isAllowed && url.protocol === 'http:'))
    throw new Fault('unavailable', `its url does not begin with https; use TLS, or name the host in allowPrivate`);
  const { address, family } = await addressOf(url.hostname.replace(/^\[|\]$/g, ''));
  if (!isAllowed && isPrivate(address))
    throw new Fault(
      'unavailable',
      `its host has the private address ${address}; name the host in allowPrivate if that is intended`,
    );
  return send(url, { method: method ?? 'POST', headers, body, address, family });
}

async function addressOf(host: string): Promise<{ readonly address: string; readonly family: number }> {
  const late = new AbortController();
  const given = sleep(longestLookUpMs, undefined, { signal: late.signal, ref: false }).then(() => {
    throw Object.assign(new Error(), { code: `no answer within ${longestLookUpMs} ms` });
  });
  try {
    return await Promise.race([lookup(host), given]);
  } catch (error) {
    const code = String(Object(error).code ?? 'no answer');
    throw new Fault('unavailable', `the address of its host cannot be looked up; correct its url: ${code}`, {
      cause: error,
    });
  } finally {
    given.catch(() => undefined);
    late.abort();
  }
}

interface Sent extends Pick<SinkRequest, 'headers' | 'body'> {
  readonly method: string;
  readonly address: string;
  readonly family: number;
}

function send(url: URL, { method, headers, body, address, family }: Sent): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(
        new Fault('unavailable', `it cannot be reached; check its url and its network: ${error.message}`, {
          cause: error,
        }),
      );
    const sent = (url.protocol === 'https:' ? https : http)(
      url,
      {
        method,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)), 'user-agent': 'serin' },
        agent: false,
        signal: AbortSignal.timeout(longestMs),
        lookup: (_, { all }, found) => (all ? found(null, [{ address, family }]) : found(null, address, family)),
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          // More is not needed, and a receiver may send without end.
          if (text.length > longestBody) answer.destroy();
          else text += part;
        });
        answer.on('error', () => undefined);
        answer.on('close', () =>
          resolve({
            status: answer.statusCode ?? 0,
            body: text,
            text: text.slice(0, longestText).replace(/\s+/g, ' ').trim(),
            ...retryAfterOf(answer.headers),
          }),
        );
      },
    );
    sent.on('error', fail);
    sent.end(body);
  });
}

/** Seconds, or a date by the clock of the receiver: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterOf({ 'retry-after': after = '', date = '' }: IncomingHttpHeaders): {
  readonly retryAfterMs?: number;
} {
  const ms = /^\d{1,9}$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.parse(date);
  return Number.isFinite(ms) && ms > 0 ? { retryAfterMs: ms } : {};
}
