import { noSecrets, secretsIn, type WebhookSecrets } from '@serin/platform/secrets';
import { secretIn, type Vault } from './calls/secret.ts';

interface Options extends Vault {
  /** Its name in the vault; none in an installation that takes no webhooks. */
  readonly secret: string | undefined;
}

/** What tells that a webhook is genuine, out of Key Vault. Until somebody stores it there is none. */
export async function webhookSecrets({ secret, ...place }: Options): Promise<WebhookSecrets> {
  const text = secret === undefined || secret === '' ? undefined : await secretIn(place, secret);
  return text === undefined ? noSecrets : secretsIn(text, `the secret ${secret} of the vault ${place.vault}`);
}
