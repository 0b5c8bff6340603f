import { findConfig } from '../config-file.ts';
import { type Command, type Invocation, show, textOption } from '../invocation.ts';
import { byHandText } from '../plan/by-hand.ts';
import { type Cost, costsAtRest, costsOfRetrains, retrains, type Sum } from '../plan/costs.ts';
import { cloudOf, prepareFor } from '../plan/for-cloud.ts';
import { instancesOf, instancesText, quotasOf } from '../plan/instances.ts';
import { type PlannedRequest, requestsOf } from '../plan/requests.ts';
import { dataBucketsOf, settingsFileOf } from '../plan/settings.ts';
import { type Grant, type Topology, topologyOf } from '../plan/topology.ts';
import { table } from '../table.ts';

/** What would be deployed, what it may do and why, and what it costs. Asks nobody: no account is needed. */
export const plan: Command = async (invocation) => {
  const facts = cloudOf(invocation);
  const { cloud } = facts;
  const prepared = await prepareFor(findConfig(invocation.cwd, textOption(invocation, 'config')), facts);
  const { compiled: config } = prepared;
  const { settings, place } = settingsFileOf(config, prepared.config.directory, facts, invocation);
  const topology = await topologyOf(settings, facts, place);
  const machines = instancesOf(config, facts);
  const requests = invocation.options.requests === true ? await requestsOf(config, cloud, topology, place) : undefined;
  const found = {
    cloud,
    ...place,
    project: config.project,
    environment: config.environment,
    machines,
    quotas: quotasOf(machines, config),
    atRest: costsAtRest(topology, machines, facts),
    retrains: { count: retrains, ...costsOfRetrains(config, topology, machines, facts) },
    buckets: dataBucketsOf(config),
    ...(requests === undefined ? {} : { requests }),
  };
  show(invocation, { ...found, topology }, () =>
    [
      heading(invocation, `${config.project}, ${config.environment}: ${place.region}, account ${place.account}`),
      deployedText(invocation, topology),
      heading(invocation, 'permissions, each with the call that needs it'),
      ...permissionsText(invocation, topology),
      `${instancesText(found, facts)}\n`,
      byHandText(topology),
      costText(invocation, 'a month at rest', 'about', found.atRest),
      costText(invocation, `${retrains} retrains, each rolled out`, 'at most about', found.retrains),
      ...(requests === undefined ? [] : [requestsText(invocation, requests)]),
    ].join('\n'),
  );
  return 0;
};

const heading = ({ terminal }: Invocation, text: string): string => terminal.paint('bold', text);

function deployedText({ terminal }: Invocation, topology: Topology): string {
  const functions = topology.functions.map(({ name, memoryMb, timeoutSeconds, trigger, does }) => ({
    name,
    on: trigger.queue ?? trigger.schedule?.rate ?? trigger.kind,
    memory: `${memoryMb} MB`,
    timeout: `${timeoutSeconds} s`,
    does,
  }));
  const columns = { FUNCTION: 'name', ON: 'on', MEMORY: 'memory', TIMEOUT: 'timeout', DOES: 'does' };
  return `${table(functions, columns, terminal)}\n${table(topology.resources, { RESOURCE: 'kind', NAME: 'name', '': 'says' }, terminal)}`;
}

function permissionsText(invocation: Invocation, topology: Topology): readonly string[] {
  const { terminal } = invocation;
  const roles = [...topology.functions.map(({ role }) => role), topology.jobRole, topology.modelRole];
  const row = ({ call, action, resources, why }: Grant) => ({ call, action, on: resources.join(' '), why });
  const { alsoGranted = [] } = topology;
  return [
    ...roles.map(
      ({ name, grants }) =>
        `${name}\n${table(grants.map(row), { CALL: 'call', ACTION: 'action', WHY: 'why', ON: 'on' }, terminal)}`,
    ),
    ...(alsoGranted.length === 0
      ? []
      : [
          `${heading(invocation, 'also granted')}\n${table(alsoGranted, { WHO: 'who', WHAT: 'what', WHY: 'why', ON: 'on' }, terminal)}`,
        ]),
  ];
}

function costText({ terminal }: Invocation, of: string, how: string, { costs, usd, unpriced }: Sum): string {
  const sources = [...new Set(costs.flatMap(({ price }) => (price === undefined ? [] : sourceText(price))))];
  const row = ({ what, unit, quantity, why, price, ...cost }: Cost) => ({
    what,
    usd: cost.usd === undefined ? 'no price known' : money(cost.usd),
    quantity: `${quantity >= 10 ? Math.round(quantity).toLocaleString('en') : Number(quantity.toPrecision(2))} x ${unit}`,
    price: price === undefined ? '' : `${perUnit(price.usd)} [${sources.indexOf(sourceText(price)) + 1}]`,
    why,
  });
  const columns = { WHAT: 'what', USD: 'usd', QUANTITY: 'quantity', PRICE: 'price', WHY: 'why' };
  const missing = unpriced.length === 0 ? '' : ` and what has no known price (${[...new Set(unpriced)].join(', ')})`;
  const heads =
    sources.length === 0
      ? [`${of}: nobody has published a price that could be read here, so these are quantities`]
      : [
          `${of}: ${how} ${money(usd)} USD${missing}`,
          'an estimate of published prices of different regions and dates, before free units; storage, logs and transfer come on top',
        ];
  return [
    terminal.paint('bold', heads[0] ?? ''),
    ...heads.slice(1),
    `${table(costs.map(row), columns, terminal)}${sources.map((source, index) => `[${index + 1}] ${source}\n`).join('')}`,
  ].join('\n');
}

/** A price far below a cent is told by the million, as the vendor does. */
const perUnit = (usd: number): string =>
  usd < 0.0001 ? `${Number((usd * 1e6).toPrecision(6))} a million` : String(usd);

const sourceText = ({ region = 'region not named', asOf, source }: NonNullable<Cost['price']>): string =>
  `${region}, ${asOf}: ${source}`;

const money = (usd: number): string => (usd === 0 || usd >= 0.005 ? usd.toFixed(2) : 'under 0.01');

const requestsText = ({ terminal }: Invocation, requests: readonly PlannedRequest[]): string =>
  [
    terminal.paint(
      'bold',
      'requests of the first run and deployment, in order; what is only known then stands as zeros or in <...>',
    ),
    ...requests.map(({ call, when, request }) => `${call}  ${when}\n${JSON.stringify(request, null, 2)}`),
    '',
  ].join('\n');
