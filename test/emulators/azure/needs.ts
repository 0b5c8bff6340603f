import type { Called } from './rest.ts';
import type { StorageCall } from './storage.ts';

/** What a call must be allowed: one of several sets of permissions, on one thing. */
export interface Need {
  readonly anyOf: readonly (readonly string[])[];
  /** A resource id. */
  readonly scope: string;
  /** Of a blob: its name in the container; `undefined` for a list. */
  readonly blob?: { readonly name: string | undefined };
}

/** Where things are that a call names by less than their resource id. */
export interface Where {
  /** Of storage accounts and vaults: by their names. */
  readonly idOf: (service: 'storageAccounts' | 'vaults', name: string) => string;
  readonly logWorkspaceId: string;
}

/** What a call needs; nothing for one of a service that has no permissions here. */
export const needsOf = (call: Called | StorageCall, where: Where): readonly Need[] =>
  'account' in call ? storageNeeds(call, where) : restNeeds(call, where);

function restNeeds(call: Called, { idOf, logWorkspaceId }: Where): readonly Need[] {
  if (call.id.includes(' vault:')) {
    const scope = `${idOf('vaults', call.params.vault ?? '')}/secrets/${call.params.secret ?? call.params.name ?? ''}`;
    return [{ anyOf: [['Microsoft.KeyVault/vaults/secrets/getSecret/action']], scope }];
  }
  if (call.id.includes(' history:')) {
    // https://learn.microsoft.com/azure/role-based-access-control/permissions/ai-machine-learning
    const permission = 'Microsoft.MachineLearningServices/workspaces/experiments/runs/read';
    return [{ anyOf: [[permission]], scope: call.path.replace(/^.*\/history\/v1\.0|\/runs\/.*$/g, '') }];
  }
  if (call.id.includes(' logs:')) {
    const query = 'Microsoft.OperationalInsights/workspaces/query';
    const table = /^\s*(\w+)/.exec(String(call.body.query))?.[1] ?? '';
    return ['read', `${table}/read`].map((of) => ({ anyOf: [[`${query}/${of}`]], scope: logWorkspaceId }));
  }
  return [managementNeed(call), ...submits(call), ...assigned(call)];
}

/**
 * What Microsoft asks of whoever starts a job, beside the job itself. Its page says every `read` of a workspace: these are
 * of what a job of ours names.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-assign-roles#common-scenarios
 */
const ofSubmission: readonly string[] = [
  'read',
  'computes/read',
  'datastores/read',
  'environments/read',
  'environments/write',
  'environments/build/action',
  'environments/readSecrets/action',
  'environments/versions/read',
  'metadata/artifacts/write',
];

function submits({ verb, path }: Called): readonly Need[] {
  const [, scope] = /^(.+\/workspaces\/[^/]+)\/jobs\/[^/]+$/.exec(path) ?? [];
  if (verb !== 'PUT' || scope === undefined) return [];
  return ofSubmission.map((of) => ({ anyOf: [[`Microsoft.MachineLearningServices/workspaces/${of}`]], scope }));
}

const verbs: Readonly<Record<string, string>> = { GET: 'read', PUT: 'write', PATCH: 'write', DELETE: 'delete' };

/**
 * Azure Resource Manager makes the permission out of the verb and the types in the path; the word of a POST is an action.
 *
 * https://learn.microsoft.com/azure/role-based-access-control/role-definitions#actions
 */
function managementNeed({ path, verb }: Called): Need {
  const at = path.lastIndexOf('/providers/');
  const [about, tail] = [path.slice(0, at), path.slice(at + '/providers/'.length)];
  const [provider, ...parts] = tail.split('/');
  const types = parts.filter((_, index) => index % 2 === 0);
  const permission = [provider, ...types, verb === 'POST' ? 'action' : verbs[verb]].join('/');
  // Metrics, and settings of diagnostics, are of the resource that they are about.
  return { anyOf: [[permission]], scope: about.includes('/providers/') ? about : path };
}

/** Whoever gives something an identity must be allowed to, on that identity. */
function assigned({ verb, body }: Called): readonly Need[] {
  if (verb !== 'PUT') return [];
  const ofJob: unknown = body?.properties?.identity?.resourceId;
  const ids = [
    ...Object.keys(body?.identity?.userAssignedIdentities ?? {}),
    ...(typeof ofJob === 'string' ? [ofJob] : []),
  ];
  return ids.map((scope) => ({ anyOf: [['Microsoft.ManagedIdentity/userAssignedIdentities/assign/action']], scope }));
}

const blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
const entities = 'Microsoft.Storage/storageAccounts/tableServices/tables/entities';

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-blob-service-operations */
const ofBlobs: Readonly<Record<string, readonly string[]>> = {
  ListBlobs: ['read'],
  GetBlob: ['read'],
  GetBlobProperties: ['read'],
  PutBlob: ['write'],
  DeleteBlob: ['delete'],
  SetBlobMetadata: ['write'],
  SetBlobTier: ['write'],
  LeaseBlob: ['write'],
};

function storageNeeds(call: StorageCall, where: Where): readonly Need[] {
  const [service = '', operation = ''] = call.id.split(':');
  const account = where.idOf('storageAccounts', call.account);
  if (service === 'table') return tableNeeds(call, account, operation);
  const [, container = '', name] = /^\/([^/]+)(?:\/(.*))?$/s.exec(call.path) ?? [];
  const scope = `${account}/blobServices/default/containers/${decodeURIComponent(container)}`;
  // One that replaces nothing needs no more than to add.
  const adds = operation === 'PutBlob' && call.headers['if-none-match'] === '*' ? [[`${blobs}/add/action`]] : [];
  const anyOf = [...adds, (ofBlobs[operation] ?? ['unknown']).map((of) => `${blobs}/${of}`)];
  return [{ anyOf, scope, blob: { name: name ? decodeURIComponent(name) : undefined } }];
}

const either = (...of: readonly string[]): Need['anyOf'] => [
  [`${entities}/write`],
  of.map((permission) => `${entities}/${permission}`),
];

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-table-service-operations */
const ofEntities: Readonly<Record<string, Need['anyOf']>> = {
  QueryEntities: [[`${entities}/read`]],
  InsertEntity: either('add/action'),
  InsertOrReplaceEntity: either('add/action', 'update/action'),
  InsertOrMergeEntity: either('add/action', 'update/action'),
  UpdateEntity: either('update/action'),
  MergeEntity: either('update/action'),
  DeleteEntity: [[`${entities}/delete`]],
};

function tableNeeds({ path, bytes }: StorageCall, account: string, operation: string): readonly Need[] {
  const of = (table: string, done: string): Need => ({
    anyOf: ofEntities[done] ?? [[`${entities}/unknown`]],
    scope: `${account}/tableServices/default/tables/${table}`,
  });
  if (operation !== 'EntityGroupTransaction') return [of(/^\/(\w+)/.exec(path)?.[1] ?? '', operation)];
  const parts = bytes.toString().split(/^--changeset\S*\r?$/m);
  const calls = parts.flatMap((part) => {
    const [, verb, table = ''] = /^(POST|PUT|MERGE|PATCH|DELETE) \S*?\/(\w+)(?:\(\S*\))? HTTP/m.exec(part) ?? [];
    if (verb === undefined) return [];
    const isConditional = /^if-match:/im.test(part);
    const changes = isConditional ? 'UpdateEntity' : 'InsertOrReplaceEntity';
    return [of(table, verb === 'POST' ? 'InsertEntity' : verb === 'DELETE' ? 'DeleteEntity' : changes)];
  });
  return [...new Map(calls.map((need) => [JSON.stringify(need), need])).values()];
}
