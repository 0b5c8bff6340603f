import { createHash, createHmac } from 'node:crypto';
import { fromEnv } from '@aws-sdk/credential-provider-env';
import { Fault } from '@serin/core/base/fault';
import { SignatureV4 } from '@smithy/signature-v4';

export interface SsmPlace {
  readonly region: string;
  /** Instead of the region's own. */
  readonly endpoint?: string;
}

interface Answer {
  readonly status: number;
  /** What AWS answered as JSON, its refusals too; `{}` where that was no JSON. */
  readonly body: { readonly __type?: string; readonly message?: string };
}

/** What `SignatureV4` asks of a hash. */
class Sha256 {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array);
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

/**
 * One signed request to SSM, for instance `AmazonSSM.GetParameter`; `unavailable` where there is no answer.
 *
 * Instead of SSM's client: that would be 60 KB of a bundle for these calls.
 */
export async function askSsm({ region, endpoint }: SsmPlace, target: string, input: object): Promise<Answer> {
  const url = new URL(
    endpoint ?? `https://ssm.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`,
  );
  const signer = new SignatureV4({ service: 'ssm', region, credentials: fromEnv(), sha256: Sha256 });
  const body = JSON.stringify(input);
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    query: {},
    headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    body,
  });
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(8000) }).catch(
    (error: unknown) => {
      throw new Fault('unavailable', 'SSM does not answer; try again later', { cause: error });
    },
  );
  return { status: answer.status, body: (await answer.json().catch(() => ({}))) as Answer['body'] };
}
