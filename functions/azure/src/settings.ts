import { required, type Variables } from '@serin/platform/settings';

/** What an installation says about all that it starts in Azure ML. */
export function settingsOf(variables: Variables) {
  const optional = (name: string, variable: string) => {
    const value = variables[variable];
    return value === undefined || value === '' ? {} : { [name]: value };
  };
  const account = required(variables, 'SERIN_STORAGE_ACCOUNT');
  return {
    installation: {
      project: required(variables, 'SERIN_PROJECT'),
      environment: required(variables, 'SERIN_ENVIRONMENT'),
    },
    subscription: required(variables, 'SERIN_SUBSCRIPTION'),
    resourceGroup: required(variables, 'SERIN_RESOURCE_GROUP'),
    /** Of Azure ML. */
    workspace: required(variables, 'SERIN_WORKSPACE'),
    region: required(variables, 'SERIN_REGION'),
    /** The storage account of the own container. */
    account,
    /** The storage account of all other containers. */
    dataAccount: variables.SERIN_DATA_ACCOUNT || account,
    ownContainer: required(variables, 'SERIN_CONTAINER'),
    /** The datastore of the own container: two installations may share a workspace. */
    datastore: variables.SERIN_DATASTORE || 'serin',
    /** The user-assigned identities of jobs and of endpoints: resource ids. */
    jobIdentity: required(variables, 'SERIN_JOB_IDENTITY'),
    modelIdentity: required(variables, 'SERIN_MODEL_IDENTITY'),
    /** Their client ids, by which a container asks for a token. */
    jobClient: required(variables, 'SERIN_JOB_CLIENT'),
    modelClient: required(variables, 'SERIN_MODEL_CLIENT'),
    /** The vault of secrets, and what stands before the name of each secret of a program. */
    vault: required(variables, 'SERIN_VAULT'),
    secretsPrefix: required(variables, 'SERIN_PROGRAM_SECRETS'),
    /** The image of a container that needs no more than Node. */
    nodeImage: required(variables, 'SERIN_NODE_IMAGE'),
    /** A cluster by its name in the workspace; without one, jobs are serverless. */
    ...(optional('cluster', 'SERIN_CLUSTER') as { readonly cluster?: string }),
    /** Callers of an endpoint show a key, and not a token of Entra. */
    endpointKeys: (variables.SERIN_ENDPOINT_KEYS ?? '') !== '',
    /** Endpoints are reached through a private endpoint of the workspace only. */
    privateEndpoints: (variables.SERIN_PRIVATE_ENDPOINTS ?? '') !== '',
    /** The Log Analytics workspace of the traffic log: its resource id, and the id by which it is queried. */
    ...(optional('logWorkspace', 'SERIN_LOG_WORKSPACE') as { readonly logWorkspace?: string }),
    ...(optional('logWorkspaceId', 'SERIN_LOG_WORKSPACE_ID') as { readonly logWorkspaceId?: string }),
  };
}

export type Settings = ReturnType<typeof settingsOf>;
