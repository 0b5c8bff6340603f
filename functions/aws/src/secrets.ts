import { createHash, createHmac } from 'node:crypto';
import { fromEnv } from '@aws-sdk/credential-provider-env';
import { Fault } from '@serin/core/fault';
import { SignatureV4 } from '@smithy/signature-v4';

interface Options {
  /** The name of a SecureString; `undefined`: there are no secrets. */
  readonly parameter: string | undefined;
  readonly region: string;
  /** Instead of the region's own. */
  readonly endpoint?: string;
}

interface WebhookSecrets {
  readonly github: readonly string[];
  readonly standard: readonly string[];
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
 * The secrets of incoming webhooks, none where there is no such parameter: `{"github": [...], "standard": [...]}` in a parameter of SSM: several of each while
 * one is replaced.
 *
 * One signed request instead of SSM's client: that would be 60 KB of a bundle for this one call.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export async function webhookSecrets({ parameter, region, endpoint }: Options): Promise<WebhookSecrets> {
  if (parameter === undefined || parameter === '') return { github: [], standard: [] };
  const url = new URL(
    endpoint ?? `https://ssm.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`,
  );
  const signer = new SignatureV4({ service: 'ssm', region, credentials: fromEnv(), sha256: Sha256 });
  const body = JSON.stringify({ Name: parameter, WithDecryption: true });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    query: {},
    headers: {
      host: url.host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.GetParameter',
    },
    body,
  });
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(8000) }).catch(
    (error: unknown) => {
      throw new Fault('unavailable', `the parameter ${parameter} cannot be read now`, { cause: error });
    },
  );
  const found = (await answer.json().catch(() => ({}))) as {
    readonly Parameter?: { readonly Value?: string };
    readonly __type?: string;
  };
  // The deployment names the parameter; whoever has a webhook makes it.
  if (/ParameterNotFound/.test(found.__type ?? '')) return { github: [], standard: [] };
  if (!answer.ok || found.Parameter?.Value === undefined)
    throw new Fault(
      answer.status >= 500 ? 'unavailable' : 'invalid',
      `the parameter ${parameter} with the webhook secrets cannot be read: ${found.__type ?? answer.status}`,
    );
  return secretsIn(found.Parameter.Value, parameter);
}

function secretsIn(text: string, parameter: string): WebhookSecrets {
  try {
    const { github = [], standard = [] } = JSON.parse(text) as Record<string, unknown>;
    if (areTexts(github) && areTexts(standard)) return { github, standard };
  } catch {
    // Said below; the text itself is never told.
  }
  throw new Fault('invalid', `the parameter ${parameter} does not hold {"github": [...], "standard": [...]}`);
}

const areTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');
