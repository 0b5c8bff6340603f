import type { Bucket } from '@serin/core/ports/bucket';
import {
  type FilePart,
  type Found,
  foundRequest,
  keysUnder,
  lineIn,
  linesFrom,
  type Offsets,
} from '@serin/platform/captured';
import type { Installation } from '@serin/platform/names';
import type { Azure } from '../calls/azure.ts';
import { type MlPlace, mlCall, workspaceId } from '../calls/ml.ts';
import { guarded } from '../faults.ts';
import { saysThere } from '../jobs/environments.ts';
import { deploymentName, mlName, nameOfDeployment } from '../names.ts';

/** The folder of the own container that endpoints write copies of requests to, and nobody else. */
const folder = 'captured';

/** The names of payload logging: what a request and its answer had over HTTP, for any image. */
const collections = ['request', 'response'] as const;

interface Options extends MlPlace {
  readonly azure: Azure;
  readonly installation: Installation;
  /** The datastore of the own container. */
  readonly datastore: string;
}

/**
 * What Azure ML collects of the requests of a deployment, by the hour. Where it is put is named by a data asset of each
 * collection, which is made if it is not there. Twice: the same.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-collect-production-data#enable-payload-logging
 */
export async function dataCollectorOf(
  { azure, installation, datastore, ...place }: Options,
  {
    endpoint,
    deployment,
    percent,
  }: { readonly endpoint: string; readonly deployment: string; readonly percent: number },
): Promise<object> {
  const made = collections.map(async (collection) => {
    const path = `${endpoint}/${deploymentName(deployment)}/${collection}`;
    const asset = `data/${mlName(installation, 'data', `${deployment}-${collection}`, path)}/versions/1`;
    const dataUri = `azureml://datastores/${datastore}/paths/${folder}/${path}`;
    const body = { properties: { dataType: 'uri_folder', dataUri } };
    await guarded(`naming the place of captured requests of ${deployment} of ${endpoint}`, () =>
      azure.json(mlCall(place, asset, { method: 'PUT', body, repeatable: true })).catch((error: unknown) => {
        if (!saysThere(error)) throw error;
      }),
    );
    const dataId = `${workspaceId(place)}/${asset}`;
    return [collection, { dataCollectionMode: 'Enabled', dataId, samplingRate: percent / 100 }] as const;
  });
  return { collections: Object.fromEntries(await Promise.all(made)), rollingRate: 'Hour' };
}

/**
 * The folders of an endpoint's requests up to the hour, also of deployments that are gone; those of `mirrors` are left out,
 * for what they got are copies. Whether Azure ML adds endpoint, deployment and collection to the place that a data asset
 * names is not said clearly, so the keys are asked.
 */
export async function requestFolders(
  bucket: Bucket,
  endpoint: string,
  mirrors: readonly string[],
): Promise<readonly string[]> {
  const found = new Set<string>();
  for await (const key of keysUnder(bucket, `${folder}/${endpoint}/`)) {
    const [, path] = /^(.*\/request\/)\d{4}\/\d\d\/\d\d\/\d\d\//.exec(key) ?? [];
    if (path !== undefined && !mirrors.includes(deploymentIn(path))) found.add(path);
  }
  return [...found];
}

/** Our name of the deployment whose file it is: `captured/<endpoint>/<deployment>/...`. */
const deploymentIn = (key: string): string => nameOfDeployment(key.split('/')[2] ?? '');

/** https://learn.microsoft.com/azure/machine-learning/how-to-collect-production-data#store-collected-data-in-blob-storage */
interface Line {
  readonly time?: string;
  readonly data?: unknown;
  readonly datacontenttype?: string;
  /** The payload is in a blob of its own: it is binary, or has more than 4 MB. */
  readonly datainblob?: string;
  /** The same of a request and its answer. */
  readonly correlationid?: string;
  readonly xrequestid?: string;
}

/** A part of a file of requests, with the answers to them: those are in the file of that name of the other collection. */
export async function readCollected(
  bucket: Bucket,
  fields: readonly string[],
  key: string,
  [from = 0, answersFrom = 0]: Offsets,
  most: number,
): Promise<FilePart> {
  const part = await linesFrom(bucket, key, from, most);
  const asked = part.lines.map(({ text }) => lineIn<Line>(text));
  const ids = new Set(asked.flatMap((line) => line?.correlationid ?? []));
  const answered = await answersTo(ids, bucket, key.replaceAll('/request/', '/response/'), answersFrom);
  const deployment = deploymentIn(key);
  const found = asked.map((line) => requestOf(line, answered.lines.get(line?.correlationid ?? ''), deployment, fields));
  return {
    found: part.tooLong ? [...found, tooLongLine] : found,
    bytes: part.bytes + answered.bytes,
    ...(part.next === undefined ? {} : { next: [part.next, answered.next] }),
  };
}

/** How far answers are looked for: as many bytes of them as of the requests, and some more. */
const mostParts = 3;

/**
 * The answers with these ids, from a byte on. A later request may be answered before an earlier one, so the next look begins
 * at the first answer that was to none of them.
 */
async function answersTo(ids: ReadonlySet<string>, bucket: Bucket, key: string, from: number) {
  const lines = new Map<string, Line>();
  let [at, bytes]: [number | undefined, number] = [from, 0];
  let next: number | undefined;
  for (let parts = 0; at !== undefined && parts < mostParts && lines.size < ids.size; parts += 1) {
    const part = await linesFrom(bucket, key, at, Number.POSITIVE_INFINITY);
    for (const { text, begins } of part.lines) {
      const line = lineIn<Line>(text);
      const id = line?.correlationid ?? '';
      if (line !== undefined && ids.has(id)) lines.set(id, line);
      else next ??= begins;
    }
    bytes += part.bytes;
    at = part.next;
  }
  return { lines, bytes, next: next ?? at ?? from + bytes };
}

const tooLongLine: Found = { unread: 'a line of a request has more than 4 MB' };
const otherForm: Found = { unread: 'a line of a file of requests is not what Azure ML collects' };
const tooDeep = 'its lists or objects are nested too deeply';
const elsewhere = 'its payload is binary or has more than 4 MB, so Azure ML put it into a blob of its own';

function requestOf(
  line: Line | undefined,
  answer: Line | undefined,
  deployment: string,
  fields: readonly string[],
): Found {
  const { time = '', correlationid, xrequestid: requestId = correlationid } = line ?? {};
  const at = Date.parse(time);
  if (line?.data === undefined || Number.isNaN(at)) return otherForm;
  const known = { at, deployment, ...(requestId === undefined ? {} : { requestId }) };
  if (isElsewhere(line)) return { request: { ...known, rows: [], answers: [] }, unread: elsewhere };
  const asked = payloadOf(line);
  if (asked === undefined) return { request: { ...known, rows: [], answers: [] }, unread: tooDeep };
  const answered = answer === undefined || isElsewhere(answer) ? undefined : payloadOf(answer);
  return foundRequest(fields, { ...known, asked, ...(answered === undefined ? {} : { answered }) });
}

const isElsewhere = ({ datainblob }: Line): boolean => String(datainblob).toLowerCase() === 'true';

/**
 * JSON is a value of the line, and any other text a text, so no text is taken for JSON. `undefined`: it is nested so deeply
 * that it can be read, and not written.
 */
function payloadOf({ data, datacontenttype: contentType }: Line) {
  try {
    return { body: typeof data === 'string' ? data : (JSON.stringify(data) ?? ''), contentType };
  } catch {
    return undefined;
  }
}
