import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { fromBase64, toBase64 } from '../base/base64.ts';
import { encodeText } from '../base/json.ts';
import type { Happening, Settings, Sink } from './sink.ts';

/**
 * Standard Webhooks: the CloudEvent as JSON, signed.
 *
 * `webhook-signature` has one `v1,<base64>` for each secret, so that a secret can be replaced while both are known.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const webhook = {
  settings: {
    url: 'where it is posted to, https',
    secret: 'whsec_<base64>; several, separated by a blank, while one is replaced',
  },
  defaultOn: ['*'],
  request(happening: Happening, { url = '', secret = '' }: Settings, atMs: number) {
    const body = JSON.stringify({ specversion: '1.0', datacontenttype: 'application/json', ...happening });
    const timestamp = String(Math.floor(atMs / 1000));
    const signed = `${happening.id}.${timestamp}.${body}`;
    return {
      url,
      headers: {
        'content-type': 'application/cloudevents+json',
        'webhook-id': happening.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': secret
          .trim()
          .split(/\s+/)
          .map((key) => signatureOf(key, signed))
          .join(' '),
      },
      body,
    };
  },
} satisfies Sink;

/** `v1,<base64>` of HMAC-SHA256 over `signed`. */
export const signatureOf = (secret: string, signed: string): string =>
  `v1,${toBase64(hmac(sha256, standardKey(secret), encodeText(signed)))}`;

/** The bytes of a secret of Standard Webhooks; a text that is not base64 throws. */
export function standardKey(secret: string): Uint8Array {
  const bytes = fromBase64(secret.replace(/^whsec_/, ''));
  if (bytes === undefined || bytes.length === 0)
    throw new Error('a secret of the webhook is not base64; write it as whsec_<base64>');
  return bytes;
}
