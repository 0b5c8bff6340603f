import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, platform, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { GoogleError, googleClient, hostsOf } from '../../functions/gcp/src/calls/google.ts';
import type { StateOf, TeamState } from '../shared/shapes.ts';
import { refusalOf } from './refusals.ts';
import { stateBucketOf } from './topology/by-hand.ts';

/** What SST keeps of a stage: its resources, and the passphrase of what is secret among them. */
const parts = ['app', 'passphrase'] as const;
type Part = (typeof parts)[number];

/** What this computer remembers while it holds the state: a deployment that broke off goes on where it was. */
interface Holding {
  readonly id: string;
  /** SST's files of two Google projects have the same names. */
  readonly bucket: string;
  /** Of what was fetched: '0' where there was nothing. Absent: nothing was fetched yet. */
  readonly generations?: Readonly<Record<Part, string>>;
}

/**
 * The state of one installation in the bucket of its team. SST keeps it in files of this computer (`home: 'local'`):
 * they are fetched before it runs, and brought back after it.
 *
 * One deployment holds the state: whoever comes meanwhile is refused. What dies while it holds the state goes on holding
 * it, until the same computer deploys again, which then goes on with its own files.
 */
export function teamState({ account, app, stage, env, command, say }: StateOf): TeamState {
  const bucket = stateBucketOf(account);
  const google = googleClient({ hosts: hostsOf('', env), tokens: () => tokenOf(env) });
  const folder = join(configFolder(env), 'sst', 'state');
  const fileOf = (part: string): string => join(folder, part, app, `${stage}.json`);
  const holdingFile = fileOf('serin');
  const keyOf = (name: string): string => `${app}/${stage}/${name}.json`;
  const object = (name: string): string => `storage/v1/b/${bucket}/o/${encodeURIComponent(keyOf(name))}`;

  async function put(name: string, content: Uint8Array, ifGenerationMatch: string): Promise<void> {
    await google.bytes({
      service: 'storage',
      method: 'POST',
      path: `upload/storage/v1/b/${bucket}/o`,
      query: { uploadType: 'media', name: keyOf(name), ifGenerationMatch },
      bytes: { content, type: 'application/json' },
    });
  }

  async function get(name: string): Promise<{ readonly content: Uint8Array; readonly generation: string } | undefined> {
    try {
      const { generation } = await google.json<{ readonly generation: string }>({
        service: 'storage',
        method: 'GET',
        path: object(name),
      });
      const query = { alt: 'media', generation };
      const { content } = await google.bytes({ service: 'storage', method: 'GET', path: object(name), query });
      return { content, generation };
    } catch (error) {
      if (error instanceof GoogleError && error.status === 404 && !/bucket/i.test(error.message)) return undefined;
      throw error;
    }
  }

  /** The bucket keeps what was before. */
  async function remove(name: string, ifGenerationMatch: string): Promise<void> {
    const query = { ifGenerationMatch };
    await google.bytes({ service: 'storage', method: 'DELETE', path: object(name), query, repeatable: true });
  }

  /** Whoever took the lock away by hand may hold one of their own by now: that one stays. */
  async function release(id: string): Promise<void> {
    const found = await get('lock');
    if (found !== undefined && lockIn(found.content).id === id) await remove('lock', found.generation);
  }

  /** Answers whether this computer holds the state already. */
  async function hold(id: string): Promise<boolean> {
    const lock: Lock = { id, by: `${userInfo().username} on ${hostname()}`, command, at: new Date().toISOString() };
    try {
      await put('lock', new TextEncoder().encode(JSON.stringify(lock)), '0');
      return false;
    } catch (error) {
      if (!(error instanceof GoogleError) || error.status !== 412) throw error;
    }
    const found = await get('lock');
    const held = lockIn(found?.content);
    if (held.id === id) return true;
    throw new Error(
      `${held.by} holds the state of ${app}, ${stage} since ${held.at} (serin ${held.command}): wait for its end; if it died for good, run 'gcloud storage rm gs://${bucket}/${keyOf('lock')}', and deploy again`,
    );
  }

  async function fetchAll(): Promise<Holding['generations']> {
    const generations: Partial<Record<Part, string>> = {};
    for (const part of parts) {
      const found = await get(part);
      generations[part] = found?.generation ?? '0';
      if (found === undefined) await rm(fileOf(part), { force: true });
      else await write(fileOf(part), found.content);
    }
    return generations as Record<Part, string>;
  }

  async function bringBack({ generations }: Holding): Promise<void> {
    for (const part of parts) {
      const content = await readIfThere(fileOf(part));
      const before = await get(part);
      if (content === undefined) {
        if (part !== 'app' || before === undefined) continue;
        if (before.generation !== generations?.[part]) throw changed(part);
        // SST has taken it away with all that it named.
        await remove(part, before.generation);
        continue;
      }
      if (before !== undefined && Buffer.compare(before.content, content) === 0) continue;
      try {
        await put(part, content, generations?.[part] ?? '0');
      } catch (error) {
        if (!(error instanceof GoogleError) || error.status !== 412) throw error;
        throw changed(part);
      }
    }
  }

  const changed = (part: Part): Error =>
    new Error(
      `somebody else has changed the state of ${app}, ${stage} meanwhile: compare ${fileOf(part)} with gs://${bucket}/${keyOf(part)}, copy the one that is true into the bucket, and deploy again`,
    );

  return {
    begin: () =>
      refusalOf({ account, bucket }, async () => {
        const known = await readHolding(holdingFile);
        if (known?.generations !== undefined && known.bucket !== bucket)
          throw new Error(
            `a deployment of ${app}, ${stage} broke off here, and its files are not in gs://${known.bucket} yet: run 'serin deploy' for that Google project first`,
          );
        const holding: Holding = { id: known?.id ?? randomUUID(), bucket, ...known };
        // Before the lock is made: an answer that is lost leaves a lock of which it is known that it is ours.
        await write(holdingFile, JSON.stringify(holding));
        const isOurs = await hold(holding.id);
        if (isOurs && holding.generations !== undefined) {
          say(`serin: a deployment broke off here and still holds the state: going on with the files in ${folder}\n`);
          return;
        }
        const generations = await fetchAll();
        await write(holdingFile, JSON.stringify({ id: holding.id, bucket, generations }));
      }),
    end: () =>
      refusalOf({ account, bucket }, async () => {
        const holding = await readHolding(holdingFile);
        if (holding === undefined) return;
        await bringBack(holding);
        await release(holding.id);
        await rm(holdingFile, { force: true });
      }),
  };
}

interface Lock {
  readonly id: string;
  readonly by: string;
  readonly command: string;
  readonly at: string;
}

const lockIn = (content?: Uint8Array): Partial<Lock> => JSON.parse(new TextDecoder().decode(content) || '{}');

async function readHolding(file: string): Promise<Holding | undefined> {
  const content = await readIfThere(file);
  return content === undefined ? undefined : (JSON.parse(content.toString()) as Holding);
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** For its owner's eyes, as SST's own files are not: a passphrase is among them. */
async function write(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content, { mode: 0o600 });
}

/** As Go's `os.UserConfigDir`, which SST asks: https://github.com/sst/sst/blob/dev/pkg/global/global.go */
function configFolder(env: StateOf['env']): string {
  const home = env.HOME ?? '';
  if (platform() === 'darwin') return join(home, 'Library', 'Application Support');
  if (platform() === 'win32') return env.APPDATA ?? home;
  return env.XDG_CONFIG_HOME || join(home, '.config');
}

/** As the provider of SST takes it, else that of who is logged in. */
async function tokenOf(env: StateOf['env']): Promise<string> {
  const given = env.GOOGLE_OAUTH_ACCESS_TOKEN;
  if (given) return given;
  const asking = ['auth', 'application-default', 'print-access-token'];
  try {
    const { stdout } = await promisify(execFile)('gcloud', asking, { env: { ...env } });
    return stdout.trim();
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
    throw new Error(
      code === 'ENOENT'
        ? 'gcloud is not on the PATH, and it says who you are to Google: install the Google Cloud CLI (cloud.google.com/sdk), or set GOOGLE_OAUTH_ACCESS_TOKEN'
        : `you are not logged in to Google Cloud: run 'gcloud auth application-default login' (${stderr.trim().split('\n')[0]})`,
      { cause: error },
    );
  }
}
