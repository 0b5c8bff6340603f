import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { otherDigest } from '@serin/core/engine/stored';
import { syncDirectory } from '../machine/durable.ts';
import { fileFault, isMissing, systemCode } from '../machine/faults.ts';
import { again } from '../machine/jobs/artifact.ts';
import { localFolder } from '../machine/model-servers.ts';
import { openPlain } from '../machine/plain-file.ts';
import { isSafeArtifact } from './artifact-paths.ts';
import { type Asked, needs, seenModel } from './house.ts';
import { loggedModel, modelsOfJob, writableModel } from './logged-models.ts';
import { forbidden, noSuch, Refused, wrong } from './refused.ts';
import { comingNumber, readVersion } from './registry-views.ts';
import { runView, writable } from './runs.ts';

/** Of one file. */
const mostBytes = 10 * 1024 ** 3;

/** `runs/<run>/artifacts`, `models/<logged model>/artifacts` or `versions/<model>/<number>`, and a path below it. */
const form = /^(runs|models|versions)\/([^/]+)\/([^/]+)(?:\/(.*))?$/;

interface Place {
  readonly kind: string;
  readonly of: string;
  readonly last: string;
  readonly path: string;
}

function placeOf(text: string): Place {
  const [, kind = '', of = '', last = '', path = ''] = form.exec(text.replace(/\/+$/, '')) ?? [];
  const isFolder = kind === 'versions' ? /^\d{1,9}$/.test(last) : last === 'artifacts';
  if (!isFolder || (path !== '' && !isSafeArtifact(path)))
    throw wrong(`the path ${JSON.stringify(text.slice(0, 200))} is not valid; use one below the artifact_uri of a run`);
  return { kind, of, last, path };
}

/** The folder that a caller may read from, its content checked where it is that of a version. */
async function folderOf(asked: Asked, { kind, of, last }: Place): Promise<string> {
  const { house } = asked;
  if (kind === 'versions') return versionFolder(asked, of, Number(last));
  if (kind === 'runs') await runView(asked, of);
  else loggedModel(asked, of);
  return join(house.directory, kind, of, last);
}

async function versionFolder(asked: Asked, name: string, number: number): Promise<string> {
  const { house, party } = asked;
  const model = await seenModel(party, name);
  const version = model === undefined ? undefined : readVersion(model.state, number);
  if (version !== undefined) {
    const folder = await localFolder(version.artifact, house.jobs);
    const digest = await house.treeDigest(folder);
    if (digest !== version.artifact.digest)
      throw otherDigest(`version ${number} of ${name}`, version.artifact.digest, digest, again);
    return folder;
  }
  const { job } = party;
  const [logged] =
    job?.model === name && number === comingNumber(job.state) ? modelsOfJob(house.store, job.run, job.scope) : [];
  if (logged === undefined) throw noSuch(`version of '${name}'`, String(number));
  return join(house.directory, logged.body.root);
}

/** The names in a folder, as MLflow lists them. A file holds no names. */
export async function listArtifacts(asked: Asked, text: string): Promise<unknown> {
  const place = placeOf(text);
  const folder = join(await folderOf(asked, place), place.path);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw fileFault(error, `listing ${place.path}`);
  });
  const files = await Promise.all(
    entries.map(async (entry) => {
      if (entry.isDirectory()) return { path: entry.name, is_dir: true };
      return { path: entry.name, is_dir: false, file_size: (await stat(join(folder, entry.name))).size };
    }),
  );
  return files.length === 0 ? {} : { files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

export async function readArtifact(asked: Asked, text: string): Promise<Response> {
  const place = placeOf(text);
  const file = join(await folderOf(asked, place), place.path);
  const handle = await openPlain(file).catch((error: unknown) => {
    if (systemCode(error) === 'EISDIR') return undefined;
    throw fileFault(error, `reading ${place.path}`);
  });
  if (handle === undefined) throw noSuch('artifact', place.path);
  const { size } = await handle.stat();
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(size),
    // What a program logged may be a page: it is never shown as one of this server.
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
  };
  const body = Readable.toWeb(handle.createReadStream({ end: Math.max(0, size - 1) })) as ReadableStream; // Node's type
  return new Response(body, { headers });
}

/** Takes a file whole or not at all; it is durable when this resolves, and the last of several wins. */
export async function writeArtifact(asked: Asked, text: string, request: Request): Promise<unknown> {
  const place = placeOf(text);
  const { house, party } = asked;
  needs(party, 'operator');
  if (place.kind === 'versions') throw forbidden(`the files of a version never change; log into a run instead`);
  if (place.path === '') throw wrong('the path names no file; add a name to it');
  if (place.kind === 'runs') await writable(asked, place.of);
  else await writableModel(asked, loggedModel(asked, place.of));
  const target = join(house.directory, place.kind, place.of, place.last, place.path);
  const draft = join(house.directory, 'incoming', randomUUID());
  try {
    await mkdir(dirname(draft), { recursive: true, mode: 0o700 });
    await receive(request, draft);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await rename(draft, target);
    syncDirectory(dirname(target));
    return {};
  } catch (error) {
    throw writeFault(error, place.path);
  } finally {
    await rm(draft, { force: true });
  }
}

async function receive(request: Request, file: string): Promise<void> {
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw tooLarge();
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      done(bytes > mostBytes ? tooLarge() : null, chunk);
    },
  });
  const body = request.body === null ? Readable.from([]) : Readable.fromWeb(request.body as never); // Node's own type of it
  await pipeline(body, counted, createWriteStream(file, { mode: 0o600 }));
  await using handle = await open(file, 'r');
  await handle.sync();
}

const tooLarge = (): Refused => wrong(`the file is larger than ${mostBytes} bytes; split it`);

/** A client repeats what is answered with 5xx for minutes: what will not go away by itself is final. */
function writeFault(error: unknown, path: string): unknown {
  const code = systemCode(error) ?? '';
  if (['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'ENAMETOOLONG'].includes(code))
    return wrong(`'${path}' cannot be written, for a file or folder has a part of this path; use another path`);
  if (['ENOSPC', 'EDQUOT'].includes(code))
    return new Refused('INVALID_STATE', 'the disk of the server is full; free some space, then log it again');
  if (code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'ABORT_ERR')
    return wrong('the body ended before it was complete; send it again');
  return error instanceof Refused ? error : fileFault(error, `writing ${path}`);
}
