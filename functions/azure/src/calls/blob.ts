import type { Call } from './azure.ts';

/** Where blobs are. */
export interface Container {
  readonly account: string;
  readonly container: string;
}

// Of 2021-02-12 and later are names that XML cannot hold (`Encoded`). Tokens take 2017-11-09 and later.
// https://learn.microsoft.com/rest/api/storageservices/previous-azure-storage-service-versions
const version = '2023-11-03';

/**
 * A call of Blob Storage. A key is one part of the path, its slashes encoded: else whatever reads a URL would take `..`
 * in it for the folder above.
 */
export const blobCall = (
  { account, container }: Container,
  { key, headers, ...given }: Omit<Call, 'service' | 'name' | 'path'> & { readonly key?: string },
): Call => ({
  service: 'blob',
  name: account,
  path: key === undefined ? container : `${container}/${encodeURIComponent(key)}`,
  headers: { 'x-ms-version': version, ...headers },
  ...given,
});

export interface Listed {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
  /** Of an account with a hierarchical namespace. */
  readonly isDirectory: boolean;
}

/**
 * The answer of List Blobs. It is XML of a form that is known, without attributes but that of an encoded name.
 *
 * https://learn.microsoft.com/rest/api/storageservices/list-blobs#response-body
 */
export function readListing(xml: string): { readonly blobs: readonly Listed[]; readonly marker: string } {
  const blobs = [...xml.matchAll(/<Blob>(.*?)<\/Blob>/gs)].map(([, blob = '']) => {
    // Whoever writes a blob names the elements of its metadata.
    const properties = inside(blob, 'Properties');
    return {
      key: nameIn(blob),
      etag: withoutQuotes(textOf(properties, 'Etag')),
      bytes: Number(textOf(properties, 'Content-Length')),
      isDirectory: textOf(properties, 'ResourceType') === 'directory' || textOf(blob, 'hdi_isfolder') === 'true',
    };
  });
  return { blobs, marker: textOf(xml.slice(Math.max(0, xml.lastIndexOf('<NextMarker'))), 'NextMarker') };
}

/** An ETag has quotes in a header, and none in a listing and in an event. */
export const withoutQuotes = (etag: string): string => etag.replace(/^"(.*)"$/, '$1');

function nameIn(blob: string): string {
  const [, encoded, text = ''] = /<Name(?: Encoded="(true|false)")?>(.*?)<\/Name>/s.exec(blob) ?? [];
  return encoded === 'true' ? decodeURIComponent(unescaped(text)) : unescaped(text);
}

const inside = (xml: string, element: string): string =>
  new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(xml)?.[1] ?? '';

const textOf = (xml: string, element: string): string => unescaped(inside(xml, element));

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescaped = (text: string): string =>
  text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return entities[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
