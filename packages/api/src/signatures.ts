import { fromBase64 } from '@serin/core/base/base64';
import { encodeText } from '@serin/core/base/json';
import { standardKey } from '@serin/core/sinks/webhook';

/**
 * Signatures of webhooks, over the raw body. The comparison is WebCrypto's own, which takes the same time for every
 * wrong signature. Several secrets are accepted at once, so that they can be rotated.
 */

/** `X-Hub-Signature-256: sha256=<hex>`. */
export async function githubSigned(secrets: readonly string[], body: Uint8Array, header: string): Promise<boolean> {
  const hex = /^sha256=([0-9a-f]{64})$/.exec(header)?.[1];
  if (hex === undefined) return false;
  const signature = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return anySigned(secrets.map(encodeText), body, [signature]);
}

/**
 * Standard Webhooks: `v1,<base64>` signatures, separated by spaces, of `<id>.<timestamp>.<body>`. Secrets are base64,
 * with or without `whsec_`.
 */
export async function standardSigned(
  secrets: readonly string[],
  message: { readonly id: string; readonly timestamp: string; readonly body: Uint8Array },
  header: string,
): Promise<boolean> {
  const signatures = header
    .split(' ')
    .slice(0, 10)
    .flatMap((part) => (part.startsWith('v1,') ? [fromBase64(part.slice(3))] : []))
    .filter((bytes) => bytes !== undefined);
  const head = encodeText(`${message.id}.${message.timestamp}.`);
  const signed = new Uint8Array(head.length + message.body.length);
  signed.set(head);
  signed.set(message.body, head.length);
  return anySigned(secrets.map(standardKey), signed, signatures);
}

async function anySigned(
  keys: readonly Uint8Array[],
  content: Uint8Array,
  signatures: readonly Uint8Array[],
): Promise<boolean> {
  let valid = false;
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey('raw', plain(bytes), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'verify',
    ]);
    for (const signature of signatures)
      valid = (await crypto.subtle.verify('HMAC', key, plain(signature), plain(content))) || valid;
  }
  return valid;
}

// WebCrypto's types want an ArrayBuffer that is not shared.
const plain = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
