import { expect, test } from 'vitest';
import { refusalOf } from '../refusals.ts';
import { subscription } from './settings.ts';

const told = async (message: string, { code = '', store }: { code?: string; store?: string } = {}): Promise<string> => {
  const thrown = Object.assign(new Error(message), { name: store === undefined ? 'Error' : 'AzureError', code });
  const about = { account: subscription, ...(store === undefined ? {} : { store }) };
  try {
    await refusalOf(about, () => Promise.reject(thrown));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
};

test.each([
  ["ERROR: Please run 'az login' to setup account.", {}, "run 'az login'"],
  [
    "Code='MissingSubscriptionRegistration' The subscription is not registered to use namespace 'Microsoft.EventGrid'",
    {},
    `run 'az provider register --namespace Microsoft.EventGrid --subscription ${subscription}'`,
  ],
  ["The subscription 'x' could not be found.", { code: 'SubscriptionNotFound' }, "look by 'az account list'"],
  [
    'The specified container does not exist.',
    { code: 'ContainerNotFound', store: 'storage account serinstate0' },
    'there is no storage account serinstate0 for the state of the team',
  ],
  [
    'no answer from serinstate0.blob.core.windows.net: getaddrinfo ENOTFOUND serinstate0.blob.core.windows.net',
    { store: 'storage account serinstate0' },
    'there is no storage account serinstate0',
  ],
  [
    'This request is not authorized to perform this operation using this permission.',
    { code: 'AuthorizationPermissionMismatch', store: 'storage account serinstate0' },
    "ask its owner for the role 'Storage Blob Data Contributor' on it; that of Owner is not enough",
  ],
  [
    "Code='AuthorizationFailed' The client does not have authorization to perform action 'Microsoft.Authorization/roleDefinitions/write'",
    {},
    `you may not deploy to the subscription ${subscription}: ask its owner for the role Owner on it: roles are made`,
  ],
])('%s: it is said what to do', async (message, about, mend) => {
  expect(await told(message, about)).toContain(mend);
  expect(await told(message, about)).toContain(message);
});

test('what nobody has foreseen is told as it came', async () => {
  expect(await told('the disk is full')).toBe('the disk is full');
});
