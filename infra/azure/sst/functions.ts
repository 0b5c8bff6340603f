import { resourceId } from '../topology/places.ts';
import type { FunctionApp, Value } from '../topology/shapes.ts';
import { codeContainer } from '../topology/stores.ts';
import { type Around, idIn, type Pulumi, placed } from './pulumi.ts';

/** What settings of functions are known by only now. */
export interface Known {
  readonly insights: Pulumi.Output<string>;
  readonly logWorkspaceId: Pulumi.Output<string>;
}

interface Functions {
  /** Where the API is, once all have their code. */
  readonly address: Pulumi.Output<string>;
  readonly apps: readonly Pulumi.Resource[];
}

/** The function apps, each with its code. */
export function renderFunctions(around: Around, known: Known): Functions {
  const { topology, pulumi } = around;
  const made = topology.functions.map((each) => ({ each, app: renderApp(around, each, known) }));
  const published = made.map(({ each, app }) => publish(around, each, app));
  const api = made.find(({ each }) => each.trigger.kind === 'https');
  return {
    address: pulumi.all([api?.app.defaultHostName ?? '', ...published]).apply(([host]) => `https://${host}`),
    apps: made.map(({ app }) => app),
  };
}

type App = InstanceType<Around['azure']['web']['WebApp']>;

function renderApp(around: Around, each: FunctionApp, known: Known): App {
  const { azure, topology, identities, after } = around;
  const { network } = topology.settings;
  const id = resourceId(each.id);
  const plan = new azure.web.AppServicePlan(
    `Plan-${id}`,
    {
      ...placed(around),
      name: each.name,
      kind: 'functionapp',
      reserved: true,
      sku: { name: 'FC1', tier: 'FlexConsumption' },
    },
    { dependsOn: [...after] },
  );
  const identity = identities[each.id];
  const app = new azure.web.WebApp(
    id,
    {
      ...placed(around),
      name: each.name,
      kind: 'functionapp,linux',
      reserved: true,
      serverFarmId: plan.id,
      httpsOnly: true,
      // A private endpoint closes an app that does not say it: to Azure Monitor, and to whoever deploys.
      // https://learn.microsoft.com/azure/app-service/overview-access-restrictions#app-access
      publicNetworkAccess: 'Enabled',
      clientAffinityEnabled: false,
      identity: { type: 'UserAssigned', userAssignedIdentities: [identity.id] },
      functionAppConfig: {
        runtime: { name: 'node', version: each.node },
        deployment: {
          storage: {
            type: 'blobContainer',
            value: `https://${each.host}.blob.core.windows.net/${codeContainer}`,
            authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id },
          },
        },
        scaleAndConcurrency: {
          instanceMemoryMB: each.memoryMb,
          maximumInstanceCount: each.maxInstances,
          ...(each.trigger.kind === 'https'
            ? { triggers: { http: { perInstanceConcurrency: each.concurrency } } }
            : {}),
        },
      },
      siteConfig: {
        minTlsVersion: '1.2',
        scmMinTlsVersion: '1.2',
        http20Enabled: true,
        appSettings: Object.entries(each.environment).map(([name, value]) => ({
          name,
          value: textOf(around, value, known),
        })),
        ...restrictionsOf(each),
      },
      ...(network === undefined ? {} : { virtualNetworkSubnetId: network.functions }),
    },
    { dependsOn: [...after] },
  );
  // Whoever publishes is known to Entra: there is no password.
  new azure.web.WebAppScmAllowed(
    `Scm-${id}`,
    { resourceGroupName: topology.group, name: each.name, allow: false },
    { dependsOn: [app] },
  );
  new azure.web.WebAppFtpAllowed(
    `Ftp-${id}`,
    { resourceGroupName: topology.group, name: each.name, allow: false },
    { dependsOn: [app] },
  );
  return app;
}

function textOf({ pulumi, identities }: Around, value: Value, known: Known): Pulumi.Input<string> {
  if (typeof value === 'string') return value;
  if ('clientOf' in value) return identities[value.clientOf].clientId;
  // https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string
  if ('loginOf' in value) return pulumi.interpolate`ClientId=${identities[value.loginOf].clientId};Authorization=AAD`;
  return known[value.from];
}

/** Who may call it; the door by which code comes is open to whoever Entra lets in. */
function restrictionsOf({ only }: FunctionApp) {
  if (only === undefined) return {};
  return {
    ipSecurityRestrictionsDefaultAction: 'Deny',
    ipSecurityRestrictions: only.map((ipAddress, index) => ({
      name: ipAddress,
      tag: 'ServiceTag',
      ipAddress,
      action: 'Allow',
      priority: 100 + index,
    })),
    scmIpSecurityRestrictionsUseMain: false,
    scmIpSecurityRestrictionsDefaultAction: 'Allow',
  };
}

/** Not in a preview, in which no app stands. */
function publish({ pulumi, code, publish }: Around, { id, name }: FunctionApp, app: App): Pulumi.Output<string> {
  return pulumi.all([app.id, app.hostNameSslStates]).apply(async ([resource, names]) => {
    if (pulumi.runtime.isDryRun()) return resource;
    const host = names?.find(({ hostType }) => hostType === 'Repository')?.name ?? `${name}.scm.azurewebsites.net`;
    await publish(host, code[id]);
    return resource;
  });
}

export const idOfApp = (around: Around, { name }: FunctionApp): string =>
  idIn(around.topology, 'Microsoft.Web/sites', name);
