import type { Bench } from './bench.ts';

/** What makes the clients of a package. Each is made as the README of its package does. */
const clients = {
  'arm-monitor': "new MonitorClient(credential, 's')",
  'data-tables': "new TableClient('https://own.table.core.windows.net', 'journal', credential)",
  'monitor-query-logs': 'new LogsQueryClient(credential)',
  'service-bus': "new ServiceBusClient('bench.servicebus.windows.net', credential)",
  'storage-blob': "new BlobServiceClient('https://own.blob.core.windows.net', credential)",
} as const;
type Package = keyof typeof clients;

/** With the app that the host loads: a client alone serves nothing. */
function bareClients(packages: readonly Package[]): string {
  const imports = packages.map((name) => {
    const [, client] = /^new (\w+)/.exec(clients[name]) ?? [];
    return `import { ${client} } from '@azure/${name}';`;
  });
  return `
    import { app } from '@azure/functions';
    import { ManagedIdentityCredential } from '@azure/identity';
    ${imports.join('\n')}
    const credential = new ManagedIdentityCredential({ clientId: 'c' });
    export const made = [${packages.map((name) => clients[name]).join(', ')}];
    app.http('bare', { handler: () => ({ body: made.length }) });`;
}

/** What the host gives to its apps. https://github.com/Azure/azure-functions-nodejs-worker, types-core/index.d.ts */
const host = `
  const core = {
    version: '3.12.0',
    hostVersion: '4.1037.0',
    registerFunction: () => ({}),
    setProgrammingModel() {},
    registerHook: () => ({}),
    Disposable: class {},
  };
  const Module = require('node:module');
  const load = Module._load;
  Module._load = (name, ...more) => (name === '@azure/functions-core' ? core : load(name, ...more));`;

export const azure: Bench = {
  cloud: 'azure',
  rounds: 21,
  maxKb: 1150,
  maxRatio: 1,
  environment: {
    SERIN_PROJECT: 'bench',
    SERIN_ENVIRONMENT: 'bench',
    SERIN_SUBSCRIPTION: '00000000-0000-0000-0000-000000000000',
    SERIN_RESOURCE_GROUP: 'serin',
    SERIN_WORKSPACE: 'bench',
    SERIN_REGION: 'westeurope',
    SERIN_STORAGE_ACCOUNT: 'own',
    SERIN_CONTAINER: 'serin',
    SERIN_TABLE: 'journal',
    SERIN_QUEUE: 'signals',
    SERIN_BUS: 'events',
    SERIN_SERVICE_BUS__fullyQualifiedNamespace: 'bench.servicebus.windows.net',
    SERIN_VAULT: 'bench',
    SERIN_SECRETS: 'webhooks',
    SERIN_PROGRAM_SECRETS: 'bench-',
    SERIN_JOB_IDENTITY:
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/j',
    SERIN_MODEL_IDENTITY:
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/m',
    SERIN_JOB_CLIENT: 'client-of-jobs',
    SERIN_MODEL_CLIENT: 'client-of-models',
    SERIN_NODE_IMAGE: 'bench.azurecr.io/node:24-slim',
    SERIN_ADMIN_TOKEN_HASH: '0'.repeat(64),
    SERIN_TIMEOUT_SECONDS: '60',
    SERIN_VERSION: '0',
    AZURE_CLIENT_ID: 'client-of-the-function',
    IDENTITY_ENDPOINT: 'http://127.0.0.1:1/token',
    IDENTITY_HEADER: 'bench',
  },
  bare: {
    title: 'a bare app of @azure/functions',
    code: "import { app } from '@azure/functions'; app.http('bare', { handler: () => ({ body: '' }) });",
  },
  functions: {
    signals: { composes: 'composeWorker', clients: bareClients(Object.keys(clients) as Package[]) },
    api: { composes: 'composeApi', clients: bareClients(['data-tables', 'storage-blob', 'service-bus']) },
    clock: { composes: 'composeClock', clients: bareClients(['data-tables', 'service-bus']) },
    deadLetters: { composes: 'composeClock', clients: bareClients(['data-tables', 'service-bus']) },
  },
  // Nothing is cut from Microsoft's packages, and the host's own module is left out of both.
  peers: [{ title: "Microsoft's own clients bare", plain: false }],
  starts: (file) => `${host} require(${JSON.stringify(file)}); up();`,
};
