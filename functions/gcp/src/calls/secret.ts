import { Fault } from '@serin/core/base/fault';
import { notYet } from '@serin/platform/faults';
import { ifThere } from '../faults.ts';
import { crc32c } from './crc32c.ts';
import { type Google, GoogleError } from './google.ts';

interface Accessed {
  readonly payload?: { readonly data?: string; readonly dataCrc32c?: string };
}

/**
 * The text in the newest version of a secret (`projects/<p>/secrets/<s>`); `undefined` where there is no such secret,
 * or no version of it. No error repeats the text.
 *
 * https://docs.cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
 */
export async function secretAt(google: Google, secret: string): Promise<string | undefined> {
  const path = `v1/${secret}/versions/latest:access`;
  const found = await ifThere(`reading the secret ${secret}`, () =>
    google
      .json<Accessed>({ service: 'secretmanager', method: 'GET', path })
      .catch((error: unknown) => Promise.reject(unusable(error, secret))),
  );
  if (found === undefined) return undefined;
  const { data = '', dataCrc32c } = found.payload ?? {};
  const bytes = Buffer.from(data, 'base64');
  if (dataCrc32c !== undefined && dataCrc32c !== String(crc32c(bytes)))
    throw notYet(`other bytes came than are stored in the secret ${secret}`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Fault('invalid', `the secret ${secret} is not text; store it in UTF-8`);
  }
}

/** Of a version that is disabled or destroyed, also when an older one could be read. */
function unusable(error: unknown, secret: string): unknown {
  if (!(error instanceof GoogleError) || error.rpc !== 'FAILED_PRECONDITION') return error;
  const command = `gcloud secrets versions add ${secret} --data-file=<file>`;
  const mend = `enable its newest version, or add one with \`${command}\``;
  return new Fault('invalid', `the secret ${secret} cannot be read; ${mend}: ${error.message}`, { cause: error });
}
