export const provider = 'azure-native';

// biome-ignore lint/suspicious/noExplicitAny: of any resource
type Inputs = any;

/** The same text is the same GUID. */
const guid = (text: string): string =>
  `${[...text]
    .reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 7)
    .toString(16)
    .padStart(8, '0')}-0000-4000-8000-000000000000`;

/** What Azure would answer for a resource, as far as others ask for it. */
export function answerOf(type: string, name: string, inputs: Inputs): { readonly id: string; readonly state: Inputs } {
  const answered = { id: `${name}-id`, state: { name, ...inputs } };
  switch (type.split(':').at(-1)) {
    case 'UserAssignedIdentity':
      return { ...answered, state: { ...answered.state, clientId: guid(`c${name}`), principalId: guid(`p${name}`) } };
    case 'SystemTopic':
      return { ...answered, state: { ...answered.state, identity: { ...inputs.identity, principalId: guid(name) } } };
    case 'WebApp': {
      const host = `${inputs.name}.azurewebsites.net`;
      const names = [
        { name: host, hostType: 'Standard' },
        { name: `${inputs.name}.scm.azurewebsites.net`, hostType: 'Repository' },
      ];
      return { ...answered, state: { ...answered.state, defaultHostName: host, hostNameSslStates: names } };
    }
    case 'Component':
      return { ...answered, state: { ...answered.state, connectionString: 'InstrumentationKey=00000000-0000' } };
    case 'Workspace':
      return { ...answered, state: { ...answered.state, customerId: guid('logs') } };
    default:
      return answered;
  }
}

/** What Azure would answer to a question. */
export function answerTo(token: string): Inputs {
  switch (token.split(':').at(-1)) {
    case 'getClientConfig':
      return { tenantId: '72f988bf-86f1-41af-91ab-2d7cd011db47' };
    case 'getSystemTopic':
      return { identity: { type: 'SystemAssigned', principalId: guid('given') } };
    case 'getStorageAccount':
      return { location: 'northeurope' };
    case 'getWorkspace':
      return { location: 'northeurope', customerId: guid('given-logs') };
    default:
      return {};
  }
}
