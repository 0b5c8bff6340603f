import type { bucketsBy } from '@serin/platform/buckets';
import type { Objects, Place } from '@serin/platform/jobs/artifacts';
import { jobNameBy } from '@serin/platform/names';
import { mlName } from '../names.ts';
import type { Settings } from '../settings.ts';

export type JobSettings = Omit<
  Settings,
  'modelIdentity' | 'modelClient' | 'endpointKeys' | 'privateEndpoints' | 'logWorkspace' | 'logWorkspaceId'
>;

/** Containers by name; the own one is in the storage account of the installation, all others are in that of the data. */
export type Buckets = ReturnType<typeof bucketsBy>;

/** In which storage account a container is. */
export type Accounts = Pick<Settings, 'account' | 'dataAccount' | 'ownContainer'>;

/** The resource of a name is one job, however often it is PUT: the name is the idempotency key. */
export const jobName = jobNameBy(mlName);

/** Where in the own container a job leaves what it made. */
export const jobFolder = (name: string): string => `jobs/${name}`;

/** The scripts of jobs. The identity of jobs reads here, and must not write. */
export const startFolder = (name: string): string => `starts/${name}`;

/** The URI of a blob, or with a `/` at the end of a folder, as artifacts are named by it. */
export const blobUri = (account: string, container: string, key: string): string =>
  `https://${account}.blob.core.windows.net/${container}/${key.split('/').map(encodeURIComponent).join('/')}`;

export interface BlobPlace extends Place {
  readonly account: string;
}

/** What a URI of `blobUri` names; `undefined` for any other text, such as one with a key in its query. */
export function placeOf(uri: string): BlobPlace | undefined {
  const [, account, bucket, path] =
    /^https:\/\/([a-z0-9]{3,24})\.blob\.core\.windows\.net\/([a-z0-9-]+)\/([^?#]+)$/.exec(uri) ?? [];
  if (account === undefined || bucket === undefined || path === undefined) return undefined;
  try {
    return { account, bucket, key: decodeURIComponent(path) };
  } catch {
    return undefined;
  }
}

export const accountOf = ({ account, dataAccount, ownContainer }: Accounts, container: string): string =>
  container === ownContainer ? account : dataAccount;

/** What lies in Blob Storage, by its URI as well. A URI of an account that is not ours names nothing. */
export const blobObjects = (buckets: Buckets, accounts: Accounts): Objects => ({
  buckets,
  placeOf(uri) {
    const place = placeOf(uri);
    return place?.account === accountOf(accounts, place?.bucket ?? '') ? place : undefined;
  },
});
