import type { Code } from '../bundle.ts';
import { refusalOf } from '../refusals.ts';
import { type Settings, topology } from '../topology.ts';
import { renderAssignments, renderIdentities, renderRoles } from './access.ts';
import { renderSubscriptions, renderTopics } from './events.ts';
import { renderFunctions } from './functions.ts';
import type { Around, Platform, Pulumi } from './pulumi.ts';
import { renderGroups, renderStores } from './stores.ts';
import { doorsOf, renderEndpoints, renderLogs, renderWatch } from './watch.ts';
import { renderWorkspace } from './workspace.ts';

interface Place extends Pick<Around, 'publish'> {
  readonly account: string;
  readonly region: string;
  readonly code: Code;
}

/**
 * One installation of Serin, rendered by SST from its topology; answers where its API is.
 *
 * It makes the provider's own resources: SST has no components for Azure.
 */
export async function serin(
  platform: Platform,
  settings: Settings,
  { account, region, code, publish }: Place,
): Promise<{ readonly address: Pulumi.Output<string> }> {
  const { azure } = platform;
  const { tenantId } = await refusalOf({ account }, () => azure.authorization.getClientConfig());
  const made = topology(settings, { account, region });
  const before = { ...platform, topology: made, code, publish, tenant: tenantId };
  const groups = renderGroups(before);
  const { all, ...identities } = renderIdentities({ ...before, after: groups });
  const logs = renderLogs({ ...before, after: groups });
  const stores = [...groups, ...all, ...renderStores({ ...before, after: groups }), ...logs.resources];
  const around = { ...before, identities };
  const workspace = renderWorkspace({ ...around, after: stores });
  const stands = [...stores, ...workspace];
  const topics = renderTopics({ ...around, after: stands });
  const roles = renderRoles({ ...before, after: groups });
  const granted = renderAssignments({ ...before, after: [...stands, ...topics.resources, ...roles] }, (principal) =>
    'of' in principal ? (topics.principals[principal.of] ?? '') : identities[principal.identity].principalId,
  );
  const { sites, stored } = doorsOf(made);
  const after = [...stands, ...granted];
  const reached = [...after, ...renderEndpoints({ ...around, after }, stored)];
  const { address, apps } = renderFunctions({ ...around, after: reached }, logs.known);
  const running = [...reached, ...apps];
  renderEndpoints({ ...around, after: running }, sites);
  // By now the roles of the topics have had the time that the apps took.
  renderSubscriptions({ ...around, after: running });
  renderWatch({ ...around, after: running }, address);
  return { address };
}
