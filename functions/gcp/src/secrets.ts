import { noSecrets, secretsIn, type WebhookSecrets } from '@serin/platform/secrets';
import type { Google } from './calls/google.ts';
import { secretAt } from './calls/secret.ts';

interface Options {
  readonly google: Google;
  /** `projects/<p>/secrets/<s>` in Secret Manager; `undefined` or '' without webhooks. */
  readonly secret: string | undefined;
}

/** The secrets by which webhooks are told to be genuine. Until somebody stores them there are none. */
export async function webhookSecrets({ google, secret }: Options): Promise<WebhookSecrets> {
  const text = secret === undefined || secret === '' ? undefined : await secretAt(google, secret);
  return text === undefined ? noSecrets : secretsIn(text, `the secret ${secret}`);
}
