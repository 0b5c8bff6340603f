import { Fault } from '@serin/core/base/fault';
import { noSecrets, secretsIn, type WebhookSecrets } from '@serin/platform/secrets';
import { askSsm, type SsmPlace } from './calls/ssm.ts';

interface Options extends SsmPlace {
  /** The name of a SecureString; `undefined`: there are no secrets. */
  readonly parameter: string | undefined;
}

/**
 * The secrets of incoming webhooks in a parameter of SSM; none where the parameter does not exist.
 *
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export async function webhookSecrets({ parameter, ...place }: Options): Promise<WebhookSecrets> {
  if (parameter === undefined || parameter === '') return noSecrets;
  const { status, body } = await askSsm(place, 'AmazonSSM.GetParameter', { Name: parameter, WithDecryption: true });
  const { __type: refusal = '', Parameter: found } = body as typeof body & {
    readonly Parameter?: { readonly Value?: string };
  };
  // The deployment names the parameter; whoever has a webhook makes it.
  if (/ParameterNotFound/.test(refusal)) return noSecrets;
  if (status !== 200 || found?.Value === undefined)
    throw new Fault(
      status >= 500 ? 'unavailable' : 'invalid',
      `the parameter ${parameter} with the webhook secrets cannot be read; correct it or its permissions: ${refusal === '' ? status : refusal}`,
    );
  return secretsIn(found.Value, `the parameter ${parameter}`);
}
