import { Fault } from '../base/fault.ts';
import { decodeText, encodeText, sha256Hex } from '../base/json.ts';
import type { CompiledConfig } from '../config/config.ts';
import { type Bucket, type ObjectContent, ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';

/** Up to `maxBytes` of an object of the project's own bucket, as `Bucket.read`. */
export type ReadOwn = (key: string, maxBytes: number) => Promise<ObjectContent | undefined>;

/** A file of a code folder. The SHA-256 of its content, `blob`, is where the content is stored. */
export interface CodeFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly blob: string;
  readonly bytes: number;
  readonly executable: boolean;
}

export const configKey = (digest: string): string => `configs/${digest}.json`;
export const codeKey = (digest: string): string => `code/${digest}.json`;
export const profileKey = (digest: string): string => `profiles/${digest}.json`;
export const referenceKey = (digest: string): string => `references/${digest}.json`;
export const reportKey = (digest: string): string => `reports/${digest}.json`;
/** Samples of answers. */
export const driftKey = (digest: string): string => `drift/${digest}.json`;
/**
 * What lies under these prefixes is named by a reading that is under way, or by the last window of a model, and by nothing
 * else. Installations delete it after so many days: a reading or a detector whose object is gone begins anew.
 */
export const passing = [
  { of: 'unfinished-profiles', prefix: 'profiles/unfinished/', days: 14 },
  { of: 'unfinished-counts', prefix: 'drift/unfinished/', days: 14 },
  { of: 'windows', prefix: 'drift/windows/', days: 100 },
] as const;
export const unfinishedProfileKey = (digest: string): string => `profiles/unfinished/${digest}`;
export const unfinishedCountsKey = (digest: string): string => `drift/unfinished/${digest}.json`;
/** Counts of a window, and what a detector knows after it. */
export const windowKey = (digest: string): string => `drift/windows/${digest}.json`;
const blobKey = (digest: string): string => `code/blobs/${digest}`;

const maxStoredBytes = 64_000_000;

/** What is stored under the SHA-256 of its own bytes, and how it comes back when it is damaged. */
const namings = [
  {
    key: /^(?:code\/blobs\/([0-9a-f]{64})|(?:code|configs)\/([0-9a-f]{64})\.json)$/,
    mend: 'restore it from a backup, or delete it and release again',
  },
  {
    key: /^datasets\/chunks\/([0-9a-f]{64})\.json$/,
    mend: 'restore it from a backup, or delete it: the next listing of the data writes it again',
  },
  {
    key: /^(?:profiles|references|reports|drift)\/([0-9a-f]{64})\.json$/,
    mend: 'restore it from a backup, or train a version without validate: it has objects of its own',
  },
  {
    key: /^(?:profiles\/unfinished\/([0-9a-f]{64})|drift\/unfinished\/([0-9a-f]{64})\.json)$/,
    mend: 'delete it: what was read so far is read again',
  },
  {
    key: /^drift\/windows\/([0-9a-f]{64})\.json$/,
    mend: 'delete it: the detector begins again',
  },
] as const;
const mendOf = (key: string): string => namings.find((naming) => naming.key.test(key))?.mend ?? '';

/** The SHA-256 that an object of the own bucket must have by its name; `undefined`: its name says none. */
export function digestInKey(key: string): string | undefined {
  for (const naming of namings) {
    const [, ...groups] = naming.key.exec(key) ?? [];
    const digest = groups.find((group) => group !== undefined);
    if (digest !== undefined) return digest;
  }
  return undefined;
}

/** The fault has both digests, so that a reader sees whether the name or the content was changed. */
export const otherDigest = (what: string, wanted: string, found: string, mend: string): Fault =>
  new Fault('invalid', `${what} has the digest ${found}, not ${wanted}: it was changed or damaged; ${mend}`);

/** `invalid` when an object of the own bucket is not what its name says; `found` is the SHA-256 of its content. */
function checkNamed(key: string, found: string): void {
  const wanted = digestInKey(key);
  if (wanted === found) return;
  const what = `${key} in the bucket '${ownBucket}'`;
  if (wanted === undefined)
    throw new Fault('invalid', `${what} is not named by its digest and cannot be trusted; release again`);
  throw otherDigest(what, wanted, found, mendOf(key));
}

/** The content of an object that its digest names, compared with it; `undefined` where there is none. */
export async function readNamed(
  read: ReadOwn,
  key: string,
  {
    maxBytes = maxStoredBytes,
    sha256 = sha256Hex,
  }: { maxBytes?: number; sha256?: (content: Uint8Array) => string } = {},
): Promise<Uint8Array | undefined> {
  const object = await read(key, maxBytes);
  if (object === undefined) return undefined;
  if (object.truncated)
    throw new Fault(
      'invalid',
      `${key} in the bucket '${ownBucket}' is larger than ${maxBytes} bytes; restore it from a backup, or release again`,
    );
  checkNamed(key, sha256(object.content));
  return object.content;
}

/** The content of an object that must be there, compared with the digest that names it. */
export async function readKept(read: ReadOwn, key: string): Promise<Uint8Array> {
  const content = await readNamed(read, key);
  if (content !== undefined) return content;
  const mend = mendOf(key);
  throw new Fault('invalid', `${key} is not in the bucket '${ownBucket}'; ${mend}`);
}

/** Writes an object under its digest, and answers it. `name` makes a key of the digest. Twice: the same object. */
export async function writeKept(own: Bucket, name: (digest: string) => string, content: Uint8Array): Promise<string> {
  const digest = sha256Hex(content);
  if (content.length > maxStoredBytes)
    throw new Fault(
      'invalid',
      `${name(digest)} would have ${content.length} bytes, and ${maxStoredBytes} is the most: the data has too many columns; leave some out`,
    );
  await own.write(name(digest), content, { ifAbsent: true });
  return digest;
}

/**
 * A compiled config by its digest. Missing or changed: `unavailable`, so that models are told of it once it is
 * restored.
 */
export async function readConfig(digest: string, { bucket }: Pick<Ports, 'bucket'>): Promise<CompiledConfig> {
  const what = `the released config ${digest}`;
  try {
    const content = await readNamed((key, maxBytes) => bucket(ownBucket).read({ key, maxBytes }), configKey(digest));
    if (content !== undefined) return JSON.parse(decodeText(content)) as CompiledConfig; // written by a release
  } catch (error) {
    if (!(error instanceof Fault) || error.retry !== 'never') throw error;
    throw new Fault('unavailable', `${what} cannot be used; release again if it cannot be restored: ${error.message}`, {
      cause: error,
    });
  }
  throw new Fault(
    'unavailable',
    `${what} is not in the bucket '${ownBucket}'; restore ${configKey(digest)} from a backup`,
  );
}

/** The files of a code folder by its digest; `invalid` when it was not released whole, or a file cannot be placed. */
export async function readCode(read: ReadOwn, digest: string): Promise<readonly CodeFile[]> {
  const content = await readNamed(read, codeKey(digest));
  if (content === undefined)
    throw new Fault('invalid', `${codeKey(digest)} is not in the bucket '${ownBucket}'; release the code again`);
  const { files } = JSON.parse(decodeText(content)) as { readonly files?: unknown };
  const paths = new Set<string>();
  return (Array.isArray(files) ? (files as readonly Partial<CodeFile>[]) : []).map(
    ({ path, blob, bytes, executable }) => {
      const isPlaced = typeof path === 'string' && isSafePath(path) && !paths.has(path);
      if (!isPlaced || !isDigest(blob) || bytes === undefined || !Number.isSafeInteger(bytes))
        throw new Fault(
          'invalid',
          `the code ${digest} has a file that cannot be written: ${JSON.stringify(path)}; rename it and release again`,
        );
      paths.add(path);
      return { path, blob, bytes, executable: executable === true };
    },
  );
}

/** The content of a file of a code folder; `invalid` when it is missing or not what was released. */
export async function readBlob(
  read: ReadOwn,
  { path, blob, bytes }: CodeFile,
  sha256?: (content: Uint8Array) => string,
): Promise<Uint8Array> {
  const options = { maxBytes: Math.max(1, bytes), ...(sha256 === undefined ? {} : { sha256 }) };
  const content = await readNamed(read, blobKey(blob), options).catch((error: unknown) => {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(
      error.code,
      `the code file '${path}' cannot be read; release the code again if it stays so: ${error.message}`,
      { cause: error },
    );
  });
  if (content !== undefined) return content;
  throw new Fault('invalid', `the code file '${path}' (${blobKey(blob)}) is missing; release the code again`);
}

const isDigest = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);

/** A relative path that stays in its directory on every system. */
export function isSafePath(path: string): boolean {
  const bytes = (text: string): number => encodeText(text).length;
  if (path.length === 0 || bytes(path) > 1024 || /[\\\0:]/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && bytes(part) <= 200);
}

/** What is known of captured requests, under the name that has its digest; it must be there. */
export async function readDrift<Kind>(key: string, own: Bucket): Promise<Kind> {
  return JSON.parse(decodeText(await readKept((name, maxBytes) => own.read({ key: name, maxBytes }), key))) as Kind; // written below, as the digest says
}

/** The same; `undefined`: it was forgotten. */
export async function findDrift<Kind>(key: string, own: Bucket): Promise<Kind | undefined> {
  const content = await readNamed((name, maxBytes) => own.read({ key: name, maxBytes }), key);
  return content && (JSON.parse(decodeText(content)) as Kind); // written below, as the digest says
}

export const writeDrift = (value: unknown, own: Bucket, name: (digest: string) => string): Promise<string> =>
  writeKept(own, name, encodeText(JSON.stringify(value)));
