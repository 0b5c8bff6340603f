import type { Received } from '@serin/platform/wire';
import type { StorageRequest } from './storage-operations.ts';

/** A refusal as Blob and Table Storage send it. */
export class StorageRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  /** No adapter of ours may send what is refused so. */
  readonly isViolation: boolean;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { readonly headers?: Readonly<Record<string, string>>; readonly isViolation?: boolean } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = more.headers ?? {};
    this.isViolation = more.isViolation ?? false;
  }
}

/** What the services refuse and Azurite takes. */
export function refusalOf(request: StorageRequest): StorageRefusal | undefined {
  const { service, headers, path } = request;
  const version = headers['x-ms-version'] ?? '';
  // https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services
  const oldest = service === 'blob' ? '2017-11-09' : '2020-12-06';
  if (!/^\d{4}-\d\d-\d\d$/.test(version) || version < oldest)
    return new StorageRefusal(400, 'InvalidHeaderValue', `x-ms-version '${version}' takes no token`, {
      isViolation: true,
    });
  return service === 'blob' ? nameRefusal(path) : undefined;
}

/** https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#blob-names */
function nameRefusal(path: string): StorageRefusal | undefined {
  const name = decodeURIComponent(path.replace(/^\/[^/]*\/?/, ''));
  if (name.length <= 1024 && name.split('/').length <= 254) return undefined;
  return new StorageRefusal(400, 'InvalidResourceName', 'The specified resource name contains invalid characters.');
}

/** An answer of Azurite's as the service would give it. */
export function answerAsReal(request: StorageRequest, answer: Received): Received {
  const { service, verb, headers, query } = request;
  if (service !== 'blob' || verb !== 'GET' || answer.status >= 300) return answer;
  if (query.get('comp') === 'list') return { ...answer, content: withNamesEncoded(answer.content) };
  const isRange = headers['x-ms-range'] !== undefined || headers.range !== undefined;
  return isRange && answer.content.length === 0 ? noRange : answer;
}

// https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
const noRange: Received = {
  status: 416,
  headers: new Headers({ 'x-ms-error-code': 'InvalidRange', 'content-range': 'bytes */0' }),
  content: Buffer.from('<Error><Code>InvalidRange</Code><Message>The range specified is invalid.</Message></Error>'),
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what XML cannot hold, and the mark of what stands for it
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\uf8ff]/g;

/** A name as Azurite gets it: it lists no blob whose name has a character that XML cannot hold. */
export const escapedName = (name: string): string =>
  name.replace(unwritable, (character) => `\uf8ff${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * The service lists such names percent-encoded.
 *
 * https://learn.microsoft.com/rest/api/storageservices/list-blobs#remarks
 */
const withNamesEncoded = (content: Uint8Array): Uint8Array =>
  Buffer.from(
    Buffer.from(content)
      .toString()
      .replace(/<Name>(.*?)<\/Name>/gs, (whole, text: string) => {
        if (!text.includes('\uf8ff')) return whole;
        const name = unescaped(text).replace(/\uf8ff(.{4})/g, (_, hex) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        );
        return `<Name Encoded="true">${encodeURIComponent(name)}</Name>`;
      }),
  );

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescaped = (text: string): string =>
  text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return entities[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
