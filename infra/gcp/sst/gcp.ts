import type { Code } from '../bundle.ts';
import { refusalOf } from '../refusals.ts';
import { type Settings, topology } from '../topology.ts';
import { renderAccounts, renderBindings, renderNotifications, renderRoles } from './access.ts';
import { renderFunctions } from './functions.ts';
import type { Platform, Pulumi } from './pulumi.ts';
import { renderApis, renderStores } from './stores.ts';
import { renderWatch } from './watch.ts';

interface Place {
  readonly account: string;
  readonly region: string;
  readonly code: Code;
}

/**
 * One installation of Serin, rendered by SST from its topology; answers where its API is.
 *
 * It makes the provider's own resources: SST has no components for Google Cloud.
 */
export async function serin(
  platform: Platform,
  settings: Settings,
  { account, region, code }: Place,
): Promise<{ readonly address: Pulumi.Output<string> }> {
  const { gcp } = platform;
  const { number } = await refusalOf({ account }, () => gcp.organizations.getProject({ projectId: account }));
  // Asked for, the agent of Cloud Storage is there.
  if (settings.dataBuckets.length > 0 || settings.kmsKey !== undefined)
    await gcp.storage.getProjectServiceAccount({ project: account });
  // So is that of BigQuery.
  if (settings.kmsKey !== undefined) await gcp.bigquery.getDefaultServiceAccount({ project: account });
  const around = { ...platform, topology: topology(settings, { account, region, number }), code };
  const apis = renderApis(around);
  const known = [...apis, ...renderAccounts({ ...around, after: apis }), ...renderRoles({ ...around, after: apis })];
  // Nothing is encrypted under a key before its service may use it.
  const keys = renderBindings({ ...around, after: known }, 'key');
  const stores = [...known, ...keys, ...renderStores({ ...around, after: [...known, ...keys] })];
  // Monitoring's agent comes with the first channel of its kind.
  const watched = renderWatch({ ...around, after: stores });
  const after = [...stores, ...watched];
  const granted = renderBindings(
    { ...around, after },
    'project',
    'bucket',
    'dataset',
    'topic',
    'account',
    'repository',
  );
  renderNotifications({ ...around, after: granted });
  return { address: renderFunctions({ ...around, after: [...after, ...granted] }) };
}
