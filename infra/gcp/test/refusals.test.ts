import { expect, test } from 'vitest';
import { refusalOf } from '../refusals.ts';

const told = async (message: string, name = 'Error'): Promise<string> => {
  const thrown = Object.assign(new Error(message), { name });
  try {
    await refusalOf({ account: 'acme-ml' }, () => Promise.reject(thrown));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
};

// As the provider says it when it looks the Google project up, before anything is made.
test.each([
  [
    'google: could not find default credentials. See https://cloud.google.com/docs/authentication for more information',
    "run 'gcloud auth application-default login'",
  ],
  ['oauth2: "invalid_grant" "reauth related error (invalid_rapt)"', "run 'gcloud auth application-default login'"],
  [
    'Error 403: Cloud Resource Manager API has not been used in project 123 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/cloudresourcemanager.googleapis.com/overview?project=123, accessNotConfigured',
    "run 'gcloud services enable cloudresourcemanager.googleapis.com --project=acme-ml'",
  ],
  [
    'Error 403: The caller does not have permission, forbidden: it may not exist',
    'the Google project acme-ml does not exist, or you may not see it: correct googleProject in serin.gcp.json',
  ],
  [
    'Error 400: Billing account for project 123 is not found. Billing must be enabled for activation of service(s)',
    "run 'gcloud billing projects link acme-ml --billing-account=<account>'",
  ],
])('%s: it is said what to do', async (message, mend) => {
  expect(await told(message)).toContain(mend);
  expect(await told(message)).toContain(message);
});

test('what nobody has foreseen is told as it came', async () => {
  expect(await told('the disk is full')).toBe('the disk is full');
});
