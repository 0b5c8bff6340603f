import { Fault } from '@serin/core/base/fault';
import { askSsm, type SsmPlace } from './ssm.ts';

interface Options extends SsmPlace {
  /** The name of a SecureString; `undefined`: there are no secrets. */
  readonly parameter: string | undefined;
}

interface WebhookSecrets {
  readonly github: readonly string[];
  readonly standard: readonly string[];
}

/**
 * The secrets of incoming webhooks, none where there is no such parameter: `{"github": [...], "standard": [...]}` in a parameter of SSM: several of each while
 * one is replaced.
 *
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export async function webhookSecrets({ parameter, ...place }: Options): Promise<WebhookSecrets> {
  if (parameter === undefined || parameter === '') return { github: [], standard: [] };
  const { status, body } = await askSsm(place, 'AmazonSSM.GetParameter', { Name: parameter, WithDecryption: true });
  const { __type: refusal = '', Parameter: found } = body as typeof body & {
    readonly Parameter?: { readonly Value?: string };
  };
  // The deployment names the parameter; whoever has a webhook makes it.
  if (/ParameterNotFound/.test(refusal)) return { github: [], standard: [] };
  if (status !== 200 || found?.Value === undefined)
    throw new Fault(
      status >= 500 ? 'unavailable' : 'invalid',
      `the parameter ${parameter} with the webhook secrets cannot be read: ${refusal === '' ? status : refusal}`,
    );
  return secretsIn(found.Value, parameter);
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
