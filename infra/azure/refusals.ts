import { type Mends, refusalsBy } from '../refusals.ts';

interface About {
  readonly account: string;
  /** Absent: it is about the subscription. */
  readonly store?: string;
}

/** What Azure says when nothing can be deployed yet, and what mends it. */
const mends: Mends<About> = [
  [
    /az login|AADSTS|not logged in|InvalidAuthenticationToken|ExpiredAuthenticationToken|could not configure AzureCli/i,
    () => "Azure does not know who you are: run 'az login'",
  ],
  [
    /MissingSubscriptionRegistration|not registered to use namespace/i,
    ({ account }, text) =>
      `a resource provider is off in the subscription ${account}: run 'az provider register --namespace ${/(Microsoft\.\w+)/.exec(text)?.[1] ?? 'Microsoft.Web'} --subscription ${account}', and wait some minutes`,
  ],
  [
    /SubscriptionNotFound|InvalidSubscriptionId/i,
    ({ account }) =>
      `there is no subscription ${account}, or you may not see it: correct subscription in serin.azure.json, or look by 'az account list'`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ContainerNotFound|ResourceNotFound|specified container does not exist/i,
    ({ account, store }) =>
      `there is no ${store ?? 'such resource'} for the state of the team: make it as 'serin plan --cloud azure' says under "by hand", or correct subscription, which is '${account}'`,
  ],
  [
    /AuthorizationPermissionMismatch|AuthorizationFailed|AuthorizationFailure|Forbidden|not authorized/i,
    ({ account, store }) =>
      store === undefined
        ? `you may not deploy to the subscription ${account}: ask its owner for the role Owner on it: roles are made, and one is given on the subscription`
        : `you may not read and write ${store}: ask its owner for the role 'Storage Blob Data Contributor' on it; that of Owner is not enough`,
  ],
];

/** What Azure throws, with what mends it. */
export const refusalOf = refusalsBy<About>({
  mends,
  ofState: ({ store }) => store !== undefined,
  errorName: 'AzureError',
});
