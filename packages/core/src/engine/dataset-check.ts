import { fieldsOf, formatOf, headerOf, maxRow, notData, objectOf, rowsOf } from '../base/data-files.mjs';
import { Fault } from '../base/fault.ts';
import { decodeText } from '../base/json.ts';
import type { DatasetVersion } from '../model/intake/protocol.ts';
import type { Order } from '../model/protocol.ts';
import { type Bucket, type ObjectInfo, ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { datasetParts } from './dataset.ts';

/** How much of an object is read for its first record, and if that does not hold it. */
const headBytes = [64_000, 1_000_000, maxRow];
const headsChecked = 5;

/**
 * What makes a dataset version unusable, before anything is paid for: missing or changed objects, more bytes than
 * allowed, missing columns in CSV headers and in first rows of NDJSON. The deep profile comes between this and
 * training.
 */
export async function checkDataset(
  { dataset, columns, maxBytes }: Extract<Order, { kind: 'checkDataset' }>,
  ports: Ports,
): Promise<readonly string[]> {
  const problems: string[] = [];
  if (maxBytes !== undefined && dataset.bytes > maxBytes)
    problems.push(`${dataset.bytes} bytes, more than data.maxBytes (${maxBytes})`);
  if (dataset.bytes === 0) problems.push('all objects are empty');
  try {
    for (const object of await firstObjects(ports.bucket(ownBucket), dataset))
      problems.push(...(await checkObject(ports.bucket(dataset.bucket), object, columns)));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'invalid') throw error;
    problems.push(error.message);
  }
  return problems;
}

/** Of a dataset of one part, which nearly all are, the whole is compared with its digest; else its first part is. */
async function firstObjects(own: Bucket, { manifest, prefix }: DatasetVersion): Promise<readonly ObjectInfo[]> {
  const parts = datasetParts((key, maxBytes) => own.read({ key, maxBytes }), manifest);
  const first = await parts.next();
  const {
    objects = [],
    manifest: { chunks },
  } = first.done ? { manifest: { chunks: [] } } : first.value;
  if (chunks.length <= 1) await parts.next();
  // Older code listed also objects that are not data.
  return objects.filter(({ key, bytes }) => notData(key, bytes, prefix) === undefined).slice(0, headsChecked);
}

async function checkObject(
  bucket: Bucket,
  { key, version }: ObjectInfo,
  columns: readonly string[],
): Promise<readonly string[]> {
  const format = columns.length === 0 ? undefined : formatOf(key);
  for (const maxBytes of headBytes) {
    const object = await bucket.read({ key, version, maxBytes });
    if (object === undefined) return [`'${key}' has changed or gone since it was listed`];
    if (format === undefined) return [];
    try {
      const found = columnsOf(format, key, latin1(object.content), object.truncated);
      if (found !== undefined) return missingColumns(key, found, columns);
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }
  return [`the first row of '${key}' is longer than ${maxRow} bytes: is a quote not closed?`];
}

function missingColumns(key: string, found: readonly string[], columns: readonly string[]): readonly string[] {
  const missing = columns.filter((column) => !found.includes(column));
  return missing.length === 0
    ? []
    : [
        `'${key}' lacks the column ${missing.map((column) => `'${column}'`).join(', ')} (it has ${found.slice(0, 10).join(', ').slice(0, 500) || 'none'})`,
      ];
}

/** Column names of a CSV header or of the first NDJSON row; `undefined`: the text was cut before its end. */
function columnsOf(
  format: 'csv' | 'ndjson',
  key: string,
  text: string,
  truncated: boolean,
): readonly string[] | undefined {
  const lines = [truncated ? text.slice(0, text.lastIndexOf('\n') + 1) : text];
  try {
    if (format === 'csv') {
      const header = headerOf(lines, key);
      return fieldsOf(header.text, header.where).map((name) => utf8(name).trim());
    }
    for (const row of rowsOf(lines, key)) return Object.keys(objectOf(utf8(row.text), row.where));
  } catch (error) {
    // A record that goes on behind the cut looks like one that is never closed, or like none.
    if (!truncated) throw error;
    return undefined;
  }
  return truncated ? undefined : [];
}

/** One character a byte. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

const utf8 = (text: string): string => decodeText(Uint8Array.from(text, (character) => character.charCodeAt(0)));
