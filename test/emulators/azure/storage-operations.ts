/** A request of Blob or Table Storage, as far as it says what is to be done. */
export interface StorageRequest {
  readonly service: 'blob' | 'table';
  readonly verb: string;
  /** After the account, with the `/` at its beginning, as it is encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
}

/** Microsoft's name of the operation: `blob:PutBlob`, `table:QueryEntities`; '' for one that no adapter of ours makes. */
export const operationOf = (request: StorageRequest): string => {
  const name = request.service === 'blob' ? blobOperation(request) : tableOperation(request);
  return name === undefined ? '' : `${request.service}:${name}`;
};

// https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
function blobOperation({ verb, path, query, headers }: StorageRequest): string | undefined {
  const comp = query.get('comp') ?? '';
  if (query.get('restype') === 'container') return `${verb} ${comp}` === 'GET list' ? 'ListBlobs' : undefined;
  if (!/^\/[^/]+\/./.test(path)) return undefined;
  if (headers['x-ms-copy-source'] !== undefined) return 'CopyBlob';
  const names: Readonly<Record<string, string>> = {
    'GET ': 'GetBlob',
    'HEAD ': 'GetBlobProperties',
    'PUT ': 'PutBlob',
    'DELETE ': 'DeleteBlob',
    'PUT lease': 'LeaseBlob',
    'PUT metadata': 'SetBlobMetadata',
    'PUT tier': 'SetBlobTier',
  };
  return names[`${verb} ${comp}`];
}

// https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
function tableOperation({ verb, path, headers }: StorageRequest): string | undefined {
  if (path === '/$batch') return verb === 'POST' ? 'EntityGroupTransaction' : undefined;
  if (path === '/Tables') return verb === 'POST' ? 'CreateTable' : undefined;
  if (verb === 'POST') return 'InsertEntity';
  if (verb === 'GET') return 'QueryEntities';
  if (verb === 'DELETE') return 'DeleteEntity';
  const isConditional = headers['if-match'] !== undefined;
  if (verb === 'PUT') return isConditional ? 'UpdateEntity' : 'InsertOrReplaceEntity';
  if (verb === 'MERGE' || verb === 'PATCH') return isConditional ? 'MergeEntity' : 'InsertOrMergeEntity';
  return undefined;
}
