import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { crc32cText } from '@serin/gcp/calls/crc32c';
import { type Handlers, LostAnswer, Media, Refusal, type Request } from './discovery.ts';

interface Stored {
  readonly name: string;
  readonly generation: bigint;
  readonly createdAt: number;
  readonly content: Buffer;
  readonly contentEncoding?: string;
  /** Composed of parts, so it has no MD5. */
  readonly isComposite: boolean;
}

/** What happens to a call: a refusal before it is done, no answer although it is done, or another answer. */
type Mood = Refusal | 'lost' | ((answer: unknown) => unknown);

export interface FakeStorage {
  readonly handlers: Handlers;
  create(bucket: string, options?: { readonly keepsVersions?: boolean }): void;
  /** Stores what no adapter of ours writes. */
  put(
    bucket: string,
    name: string,
    content: Buffer,
    more?: Partial<Pick<Stored, 'contentEncoding' | 'isComposite'>>,
  ): void;
  /** All objects of a bucket by their names. */
  contents(bucket: string): readonly (readonly [name: string, content: Buffer])[];
  /** What is stored changes without a trace in its checksum. */
  damage(bucket: string, name: string, content: Buffer): void;
  /** For the next calls of a method, one each. */
  mood(method: 'get' | 'insert' | 'list', ...moods: readonly Mood[]): void;
  /** A part of an object comes without its checksum. Nothing says that Cloud Storage sends it there. */
  hideChecksums(): void;
  /** A list begins with a page that is empty and says that there is more. */
  sendEmptyPages(): void;
}

interface Bucket {
  readonly keepsVersions: boolean;
  /** By name, the newest last. */
  readonly objects: Map<string, Stored[]>;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const notFound = (message: string) => new Refusal('NOT_FOUND', message, { reason: 'notFound' });
const invalid = (message: string) => new Refusal('INVALID_ARGUMENT', message, { reason: 'invalid' });

/**
 * Cloud Storage in memory: what fake-gcs-server lacks. Preconditions of reads, names that are refused, pages of 1,000 at
 * most, `fields`, decompressive transcoding, objects without MD5, and the ways in which it fails.
 */
export function fakeStorage(): FakeStorage {
  const buckets = new Map<string, Bucket>();
  const moods: Record<'get' | 'insert' | 'list', Mood[]> = { get: [], insert: [], list: [] };
  const checksums = new WeakMap<Stored, string>();
  let generation = 1_795_169_730_123_456n;
  let hasChecksums = true;
  let hasEmptyPages = false;

  function bucketOf({ params }: Pick<Request, 'params'>): Bucket {
    const found = buckets.get(params.bucket ?? '');
    if (found === undefined) throw notFound('The specified bucket does not exist.');
    return found;
  }

  function store(bucket: Bucket, object: Omit<Stored, 'generation' | 'createdAt'>): Stored {
    generation += 1n;
    const stored = { ...object, generation, createdAt: Date.now() };
    checksums.set(stored, crc32cText(object.content));
    bucket.objects.set(object.name, [...(bucket.keepsVersions ? (bucket.objects.get(object.name) ?? []) : []), stored]);
    return stored;
  }

  function objectOf(request: Request): Stored {
    const { bucket = '', object = '' } = request.params;
    const versions = bucketOf(request).objects.get(object) ?? [];
    const wanted = request.query.get('generation');
    const found = wanted === null ? versions.at(-1) : versions.find((one) => one.generation === int64(wanted));
    if (found === undefined) throw notFound(`No such object: ${bucket}/${object}`);
    demandPreconditions(request.query, found);
    return found;
  }

  const resourceOf = (bucket: string, object: Stored) => ({
    kind: 'storage#object',
    name: object.name,
    bucket,
    generation: String(object.generation),
    metageneration: '1',
    timeCreated: new Date(object.createdAt).toISOString(),
    size: String(object.content.length),
    crc32c: checksums.get(object),
    ...(object.contentEncoding === undefined ? {} : { contentEncoding: object.contentEncoding }),
    ...(object.isComposite ? { componentCount: 2 } : { md5Hash: md5(object.content) }),
  });

  function insert(request: Request): unknown {
    const bucket = bucketOf(request);
    const { name = request.query.get('name'), crc32c, md5Hash, contentEncoding } = request.body ?? {};
    demandName(name);
    demandPreconditions(request.query, bucket.objects.get(name)?.at(-1));
    if (crc32c !== undefined && crc32c !== crc32cText(request.bytes)) throw invalid('Provided CRC32C does not match');
    if (md5Hash !== undefined && md5Hash !== md5(request.bytes)) throw invalid('Provided MD5 does not match');
    const stored = store(bucket, { name, content: request.bytes, contentEncoding, isComposite: false });
    return resourceOf(request.params.bucket ?? '', stored);
  }

  function media(request: Request): Media {
    const object = objectOf(request);
    const { headers } = request;
    const isUnpacked = object.contentEncoding === 'gzip' && !/\bgzip\b/.test(headers['accept-encoding'] ?? '');
    const content = isUnpacked ? gunzipSync(object.content) : object.content;
    const md5Hash = object.isComposite ? '' : `,md5=${md5(object.content)}`;
    const about = {
      'x-goog-generation': String(object.generation),
      'x-goog-stored-content-length': String(object.content.length),
      ...(hasChecksums ? { 'x-goog-hash': `crc32c=${checksums.get(object)}${md5Hash}` } : {}),
      ...(object.contentEncoding === undefined || isUnpacked ? {} : { 'content-encoding': object.contentEncoding }),
    };
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    // A range of what is unpacked on its way is ignored.
    if (from === undefined || isUnpacked) return new Media(content, about);
    const [first, last] = [Number(from), Math.min(Number(to), content.length - 1)];
    if (first > last) throw new Refusal('OUT_OF_RANGE', 'The requested range cannot be satisfied.', { status: 416 });
    const range = `bytes ${first}-${last}/${content.length}`;
    return new Media(content.subarray(first, last + 1), { ...about, 'content-range': range }, 206);
  }

  function list(request: Request): unknown {
    const { query, params } = request;
    const { objects } = bucketOf(request);
    const [prefix, from] = [query.get('prefix') ?? '', query.get('startOffset') ?? ''];
    const token = query.get('pageToken');
    const after = token === null ? '' : nameIn(token);
    if (token === null && hasEmptyPages) return { kind: 'storage#objects', nextPageToken: tokenAfter('') };
    const names = [...objects.keys()]
      .filter((name) => name.startsWith(prefix) && byBytes(name, from) >= 0 && byBytes(name, after) > 0)
      .sort(byBytes);
    const page = names.slice(0, Math.min(1000, Number(query.get('maxResults') ?? 1000)));
    const last = page.at(-1);
    const items = page.flatMap((name) => {
      const object = objects.get(name)?.at(-1);
      return object === undefined ? [] : [resourceOf(params.bucket ?? '', object)];
    });
    const more = last !== undefined && page.length < names.length ? { nextPageToken: tokenAfter(last) } : {};
    return { kind: 'storage#objects', ...(items.length === 0 ? {} : { items }), ...more };
  }

  const moody =
    (method: keyof typeof moods, handler: Handlers[string]): Handlers[string] =>
    (request) => {
      const mood = moods[method].shift();
      if (mood instanceof Refusal) throw mood;
      const answer = handler(request);
      if (mood === 'lost') throw new LostAnswer();
      if (answer instanceof Media) return answer;
      return picked(mood === undefined ? answer : mood(answer), request.query.get('fields'));
    };

  return {
    handlers: {
      'storage.objects.insert': moody('insert', insert),
      'storage.objects.list': moody('list', list),
      'storage.objects.get': moody('get', (request) =>
        request.query.get('alt') === 'media'
          ? media(request)
          : resourceOf(request.params.bucket ?? '', objectOf(request)),
      ),
      'storage.objects.delete'(request) {
        bucketOf(request).objects.delete(objectOf(request).name);
      },
    },
    contents: (bucket) =>
      [...bucketOf({ params: { bucket } }).objects].map(([name, versions]) => [
        name,
        versions.at(-1)?.content ?? Buffer.of(),
      ]),
    create: (bucket, { keepsVersions = false } = {}) => void buckets.set(bucket, { keepsVersions, objects: new Map() }),
    put(bucket, name, content, more = {}) {
      store(bucketOf({ params: { bucket } }), { isComposite: false, ...more, name, content });
    },
    damage(bucket, name, content) {
      const found = bucketOf({ params: { bucket } }).objects.get(name)?.at(-1);
      if (found === undefined) throw new Error(`nothing to damage under ${name}`);
      Object.assign(found, { content });
    },
    mood: (method, ...more) => void moods[method].push(...more),
    hideChecksums() {
      hasChecksums = false;
    },
    sendEmptyPages() {
      hasEmptyPages = true;
    },
  };
}

const md5 = (content: Buffer): string => createHash('md5').update(content).digest('base64');

const tokenAfter = (name: string): string => Buffer.from(JSON.stringify([name])).toString('base64');

function nameIn(token: string): string {
  try {
    return JSON.parse(Buffer.from(token, 'base64').toString())[0];
  } catch {
    throw invalid('Invalid page token');
  }
}

function int64(text: string): bigint {
  if (!/^-?\d{1,19}$/.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text))
    throw invalid(`Invalid: '${text}'`);
  return BigInt(text);
}

/** https://docs.cloud.google.com/storage/docs/objects#naming */
function demandName(name: unknown): asserts name is string {
  const bytes = typeof name === 'string' ? Buffer.byteLength(name) : 0;
  if (bytes === 0) throw invalid('Required');
  if (bytes > 1024 || /[\r\n]|^\.\.?$|^\.well-known\/acme-challenge\//.test(String(name)))
    throw invalid(`Invalid object name: ${name}`);
}

/** https://docs.cloud.google.com/storage/docs/request-preconditions */
function demandPreconditions(query: URLSearchParams, found: Stored | undefined): void {
  const [match, other] = [query.get('ifGenerationMatch'), query.get('ifGenerationNotMatch')];
  const is = found?.generation ?? 0n;
  const holds = (match === null || int64(match) === is) && (other === null || int64(other) !== is);
  if (!holds)
    throw new Refusal('FAILED_PRECONDITION', 'At least one of the pre-conditions you specified did not hold.', {
      status: 412,
      reason: 'conditionNotMet',
    });
}

/** The part of an answer that `fields` asks for. https://docs.cloud.google.com/storage/docs/json_api#partial-response */
function picked(answer: unknown, fields: string | null): unknown {
  if (fields === null) return answer;
  const wanted = [...fields.matchAll(/(\w+)(?:\(([^)]*)\))?/g)].map(([, name = '', inner]) => [name, inner] as const);
  const from = answer as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    wanted.flatMap(([name, inner = null]) => {
      const value = from[name];
      if (value === undefined) return [];
      return [[name, Array.isArray(value) ? value.map((item) => picked(item, inner)) : picked(value, inner)]];
    }),
  );
}
