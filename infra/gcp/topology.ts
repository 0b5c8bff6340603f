import { refusal } from '../shared/fields.ts';
import { metrics } from '../shared/metrics.ts';
import type { AlsoGranted } from '../shared/shapes.ts';
import { buildAccount, jobAccount, modelAccount, pushAccount } from './topology/accounts.ts';
import { agentApis, agentGrants, keyBindings, serviceBindings } from './topology/agents.ts';
import { alarmsOf, channelsOf, logMetricsOf } from './topology/alarms.ts';
import { apis } from './topology/apis.ts';
import { byHandOf } from './topology/by-hand.ts';
import { costsOf } from './topology/costs.ts';
import { dashboardOf } from './topology/dashboard.ts';
import { functionsOf } from './topology/functions.ts';
import { type Bound, boundOf } from './topology/grants.ts';
import { placesOf } from './topology/places.ts';
import { laterOf, resourcesOf, staysOf } from './topology/resources.ts';
import { settingsProblems } from './topology/settings.ts';
import type { Account, Settings, Topology, Where } from './topology/shapes.ts';
import {
  bucketsOf,
  capturesOf,
  databaseOf,
  logStoreOf,
  notificationsOf,
  repositoriesOf,
  topicsOf,
} from './topology/stores.ts';

export { callsOf, portsOf, projectWide } from './topology/calls.ts';
export { readSettings, settingsOf } from './topology/settings.ts';
export type { Settings, Topology, Where } from './topology/shapes.ts';

/**
 * All that an installation consists of on Google Cloud, as plain data; SST renders it, `serin plan` prints it.
 *
 * Everything is named, so every policy is known before anything stands. Throws with everything that is wrong with the
 * settings: what it does not know could leave an installation open that was meant to be closed.
 */
export function topology(settings: Settings, where: Where): Topology {
  const problems = settingsProblems(settings);
  if (problems.length > 0) throw refusal('these settings cannot be deployed', problems);
  const places = placesOf(settings, where);
  const functions = functionsOf(places);
  const [jobs, models] = [jobAccount(places), modelAccount(places)];
  const [push, build] = [pushAccount(places), buildAccount(places)];
  const accounts = [...functions.map(({ role }) => role), jobs, models, push, build];
  const nameOf = (id: string): string => functions.find((each) => each.id === id)?.name ?? '';
  const bound = boundOf(places, [
    ...accounts.map(granteeOf),
    ...agentGrants(places, { signalsSubscription: nameOf('signals') }),
  ]);
  const [alarms, logMetrics] = [alarmsOf(places), logMetricsOf(places)];
  const logStore = logStoreOf(
    places,
    functions.map(({ name }) => name),
  );
  const bindings = [
    ...bound.bindings,
    ...keyBindings(places),
    ...serviceBindings(places, { pushed: ['signals', 'deadLetters', 'clock'].map(nameOf), api: nameOf('api') }),
  ];
  const made = {
    where: places.where,
    functions,
    apis,
    accounts,
    jobRole: jobs,
    modelRole: models,
    customRoles: bound.customRoles,
    bindings,
    alsoGranted: othersIn({ ...bound, bindings }, [...functions.map(({ role }) => role), jobs, models]),
    agents: agentApis,
    topics: topicsOf(places),
    database: databaseOf(places),
    buckets: bucketsOf(places),
    captures: capturesOf(places),
    notifications: notificationsOf(places),
    repositories: repositoriesOf(places),
    logMetrics,
    channels: channelsOf(places),
    alarms,
    ...(settings.dashboard === false ? {} : { dashboard: dashboardOf(places) }),
    ...(logStore === undefined ? {} : { logStore }),
    pushAccount: push.email,
    buildAccount: build.email,
    metrics: metrics.map(({ name }) => name),
    labels: { serin_project: settings.project, serin_environment: settings.environment },
    byHand: byHandOf(places),
    settings,
    costsAtRest: costsOf(alarms, logMetrics),
  };
  return { ...made, resources: resourcesOf(made), stays: staysOf(made), later: laterOf(made) };
}

const granteeOf = ({ id, email, grants }: Account) => ({ id, member: `serviceAccount:${email}`, grants });

/** What is granted to anybody but these accounts, whose grants are listed with the calls that need them. */
function othersIn({ bindings, customRoles }: Bound, accounts: readonly Account[]): readonly AlsoGranted[] {
  const listed = new Set(accounts.map(({ email }) => `serviceAccount:${email}`));
  return bindings
    .filter(({ member }) => !listed.has(member))
    .map(({ member, role, target, why }) => ({
      who: member.replace(/^serviceAccount:/, ''),
      what: customRoles.find(({ id }) => role.endsWith(`/roles/${id}`))?.permissions.join(' ') ?? role,
      on: target.name,
      why,
    }));
}
