import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Google, GoogleError, googleClient, hostsOf } from '../../functions/gcp/src/calls/google.ts';
import type { StateOf, TeamState } from '../shared/shapes.ts';
import { type StateStore, stateIn } from '../team-state.ts';
import { refusalOf } from './refusals.ts';
import { stateBucketOf } from './topology/by-hand.ts';

/** The state of one installation in the bucket of its team. */
export function teamState({ account, ...what }: StateOf): TeamState {
  const bucket = stateBucketOf(account);
  const google = googleClient({ hosts: hostsOf('', what.env), tokens: () => tokenOf(what.env) });
  const state = stateIn(bucketStore(google, bucket), what, { account: 'Google project' });
  return {
    begin: () => refusalOf({ account, bucket }, () => state.begin()),
    end: () => refusalOf({ account, bucket }, () => state.end()),
  };
}

/** The version of an object is its generation; 0 is that of one that is not there. */
function bucketStore(google: Google, bucket: string): StateStore {
  const object = (name: string): string => `storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    name: `gs://${bucket}`,
    removal: (name) => `gcloud storage rm gs://${bucket}/${name}`,
    async get(name) {
      try {
        const { generation } = await google.json<{ readonly generation: string }>({
          service: 'storage',
          method: 'GET',
          path: object(name),
        });
        const query = { alt: 'media', generation };
        const { content } = await google.bytes({ service: 'storage', method: 'GET', path: object(name), query });
        return { content, version: generation };
      } catch (error) {
        if (error instanceof GoogleError && error.status === 404 && !/bucket/i.test(error.message)) return undefined;
        throw error;
      }
    },
    async put(name, content, version = '0') {
      try {
        await google.bytes({
          service: 'storage',
          method: 'POST',
          path: `upload/storage/v1/b/${bucket}/o`,
          query: { uploadType: 'media', name, ifGenerationMatch: version },
          bytes: { content, type: 'application/json' },
        });
        return true;
      } catch (error) {
        if (error instanceof GoogleError && error.status === 412) return false;
        throw error;
      }
    },
    async remove(name, ifGenerationMatch) {
      const query = { ifGenerationMatch };
      await google.bytes({ service: 'storage', method: 'DELETE', path: object(name), query, repeatable: true });
    },
  };
}

/** As the provider of SST takes it, else that of who is logged in. */
async function tokenOf(env: StateOf['env']): Promise<string> {
  const given = env.GOOGLE_OAUTH_ACCESS_TOKEN;
  if (given) return given;
  const asking = ['auth', 'application-default', 'print-access-token'];
  try {
    const { stdout } = await promisify(execFile)('gcloud', asking, { env: { ...env } });
    return stdout.trim();
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
    throw new Error(
      code === 'ENOENT'
        ? 'gcloud is not on the PATH, and it says who you are to Google: install the Google Cloud CLI (cloud.google.com/sdk), or set GOOGLE_OAUTH_ACCESS_TOKEN'
        : `you are not logged in to Google Cloud: run 'gcloud auth application-default login' (${stderr.trim().split('\n')[0]})`,
      { cause: error },
    );
  }
}
