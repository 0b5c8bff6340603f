import { refusal } from '../shared/fields.ts';
import { metrics } from '../shared/metrics.ts';
import type { AlsoGranted } from '../shared/shapes.ts';
import { actionGroupsOf, alarmsOf } from './topology/alarms.ts';
import { byHandOf } from './topology/by-hand.ts';
import { costsOf } from './topology/costs.ts';
import { sourcesOf, topicGrants } from './topology/events.ts';
import { functionsOf } from './topology/functions.ts';
import { assignedTo, type Grantee } from './topology/grants.ts';
import { hostAssignments } from './topology/hosts.ts';
import { jobIdentity, modelIdentity } from './topology/identities.ts';
import { placesOf } from './topology/places.ts';
import { laterOf, resourcesOf, staysOf } from './topology/resources.ts';
import { settingsProblems } from './topology/settings.ts';
import type { Assignment, Settings, Source, Topology, Where } from './topology/shapes.ts';
import { accountsOf, deadEvents, endpointsOf, logsOf, namespaceOf, vaultsOf, workspaceOf } from './topology/stores.ts';

export { callsOf, portsOf } from './topology/calls.ts';
export { readSettings, settingsOf } from './topology/settings.ts';
export type { Settings, Topology, Where } from './topology/shapes.ts';

/**
 * All that an installation consists of on Azure, as plain data; SST renders it, `serin plan` prints it.
 *
 * Everything is named, so every role is known before anything stands; only the ids of identities are Azure's. Throws with
 * everything that is wrong with the settings: what it does not know could leave an installation open that was meant to be
 * closed.
 */
export function topology(settings: Settings, where: Where): Topology {
  const problems = settingsProblems(settings);
  if (problems.length > 0) throw refusal('these settings cannot be deployed', problems);
  const places = placesOf(settings, where);
  const functions = functionsOf(places);
  const [jobs, models] = [jobIdentity(places), modelIdentity(places)];
  const identities = [...functions.map(({ role }) => role), jobs, models];
  const sources = sourcesOf(places);
  const others = topicGrants(places, sources);
  const ours = identities.map(({ id, grants }): Grantee => ({ principal: { identity: id }, grants }));
  const assigned = assignedTo(places, [...ours, ...others]);
  const hosts = hostAssignments(places);
  const alarms = alarmsOf(places);
  const [namespace, endpoints, logs] = [namespaceOf(places), endpointsOf(places), logsOf(places)];
  const made = {
    where,
    groups: [
      ...(settings.resourceGroup === undefined ? [{ id: 'Own', name: places.group }] : []),
      ...(settings.workspace === undefined ? [{ id: 'Workspace', name: places.workspaceGroup }] : []),
    ],
    group: places.group,
    functions,
    identities,
    jobRole: jobs,
    modelRole: models,
    customRoles: assigned.customRoles,
    assignments: [...assigned.assignments, ...hosts],
    alsoGranted: [...others.flatMap((each) => alsoGranted(sources, each)), ...hosts.map(hostGranted)],
    accounts: accountsOf(places),
    namespace,
    vaults: vaultsOf(places),
    sources,
    deadEvents: { account: places.accountId, container: deadEvents },
    workspace: workspaceOf(places),
    ...(logs === undefined ? {} : { logs }),
    alarms,
    actionGroups: actionGroupsOf(places),
    endpoints,
    metrics: metrics.map(({ name }) => name),
    tags: { 'serin-project': settings.project, 'serin-environment': settings.environment },
    byHand: byHandOf(places),
    settings,
    costsAtRest: costsOf({ namespace, alarms, endpoints }),
  };
  return { ...made, resources: resourcesOf(made), stays: staysOf(made), later: laterOf(made) };
}

/** Of an identity of Azure's own: whose it is. */
function alsoGranted(sources: readonly Source[], { principal, grants }: Grantee): readonly AlsoGranted[] {
  const topic = sources.find(({ id }) => 'of' in principal && principal.of === `Topic-${id}`)?.topic;
  return grants.map(({ action, resources, why }) => ({
    who: `the system topic ${topic}`,
    what: action,
    on: resources.join(' '),
    why,
  }));
}

const hostGranted = ({ principal, target, why }: Assignment): AlsoGranted => ({
  who: 'identity' in principal ? principal.identity : '',
  what: 'Storage Blob Data Owner',
  on: target.split('/').at(-1) ?? '',
  why,
});
