import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, platform, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { StateOf, TeamState } from './shared/shapes.ts';

/** What a team keeps in its cloud. Names are paths such as `serin-shop/prod/app.json`. */
export interface StateStore {
  /** As it is told: `gs://serin-state-acme`. */
  readonly name: string;
  /** `undefined` where there is nothing of the name. */
  get(name: string): Promise<{ readonly content: Uint8Array; readonly version: string } | undefined>;
  /** Writes onto the version that was read, or where there is nothing. Answers whether it did. */
  put(name: string, content: Uint8Array, version: string | undefined): Promise<boolean>;
  /** Takes away the version that was read. The store keeps what was there. */
  remove(name: string, version: string): Promise<void>;
  /** The command by which an owner takes it away. */
  removal(name: string): string;
}

/** What SST keeps of a stage: its resources, and the passphrase of what is secret among them. */
const parts = ['app', 'passphrase'] as const;
type Part = (typeof parts)[number];

/** What this computer remembers while it holds the state: a deployment that broke off goes on where it was. */
interface Holding {
  readonly id: string;
  /** SST's files of two accounts have the same names. */
  readonly store: string;
  /** Of what was fetched. Absent: nothing was fetched yet. */
  readonly versions?: Partial<Readonly<Record<Part, string>>>;
}

interface Lock {
  readonly id: string;
  readonly by: string;
  readonly command: string;
  readonly at: string;
}

/**
 * The state of one installation in a store of its team. SST keeps it in files of this computer (`home: 'local'`): they
 * are fetched before it runs, and brought back after it.
 *
 * One deployment holds the state: whoever comes meanwhile is refused. What dies while it holds the state goes on holding
 * it, until the same computer deploys again, which then goes on with its own files. `account`: as its owner calls it.
 */
export function stateIn(
  store: StateStore,
  { app, stage, env, command, say }: Omit<StateOf, 'account'>,
  { account }: { readonly account: string },
): TeamState {
  const folder = join(configFolder(env), 'sst', 'state');
  const fileOf = (part: string): string => join(folder, part, app, `${stage}.json`);
  const holdingFile = fileOf('serin');
  const keyOf = (name: string): string => `${app}/${stage}/${name}.json`;

  /** Answers whether this computer holds the state already. */
  async function hold(id: string): Promise<boolean> {
    const lock: Lock = { id, by: `${userInfo().username} on ${hostname()}`, command, at: new Date().toISOString() };
    if (await store.put(keyOf('lock'), new TextEncoder().encode(JSON.stringify(lock)), undefined)) return false;
    const held = lockIn((await store.get(keyOf('lock')))?.content);
    if (held.id === id) return true;
    throw new Error(
      `${held.by} holds the state of ${app}, ${stage} since ${held.at} (serin ${held.command}): wait for its end; if it died for good, run '${store.removal(keyOf('lock'))}', and deploy again`,
    );
  }

  /** Whoever took the lock away by hand may hold one of their own by now: that one stays. */
  async function release(id: string): Promise<void> {
    const found = await store.get(keyOf('lock'));
    if (found !== undefined && lockIn(found.content).id === id) await store.remove(keyOf('lock'), found.version);
  }

  async function fetchAll(): Promise<Holding['versions']> {
    const versions: Partial<Record<Part, string>> = {};
    for (const part of parts) {
      const found = await store.get(keyOf(part));
      if (found === undefined) await rm(fileOf(part), { force: true });
      else {
        versions[part] = found.version;
        await write(fileOf(part), found.content);
      }
    }
    return versions;
  }

  async function bringBack({ versions = {} }: Holding): Promise<void> {
    for (const part of parts) {
      const content = await readIfThere(fileOf(part));
      const before = await store.get(keyOf(part));
      if (content === undefined) {
        if (part !== 'app' || before === undefined) continue;
        if (before.version !== versions[part]) throw changed(part);
        // SST has taken it away with all that it named.
        await store.remove(keyOf(part), before.version);
        continue;
      }
      if (before !== undefined && Buffer.compare(before.content, content) === 0) continue;
      if (!(await store.put(keyOf(part), content, versions[part]))) throw changed(part);
    }
  }

  const changed = (part: Part): Error =>
    new Error(
      `somebody else has changed the state of ${app}, ${stage} meanwhile: compare ${fileOf(part)} with ${store.name}/${keyOf(part)}, copy the one that is true into the store, and deploy again`,
    );

  return {
    async begin() {
      const known = await readHolding(holdingFile);
      if (known?.versions !== undefined && known.store !== store.name)
        throw new Error(
          `a deployment of ${app}, ${stage} broke off here, and its files are not in ${known.store} yet: run 'serin deploy' for that ${account} first`,
        );
      const holding: Holding = { id: known?.id ?? randomUUID(), store: store.name, ...known };
      // Before the lock is made: an answer that is lost leaves a lock of which it is known that it is ours.
      await write(holdingFile, JSON.stringify(holding));
      const isOurs = await hold(holding.id);
      if (isOurs && holding.versions !== undefined) {
        say(`serin: a deployment broke off here and still holds the state: going on with the files in ${folder}\n`);
        return;
      }
      const versions = await fetchAll();
      await write(holdingFile, JSON.stringify({ id: holding.id, store: store.name, versions }));
    },
    async end() {
      const holding = await readHolding(holdingFile);
      if (holding === undefined) return;
      await bringBack(holding);
      await release(holding.id);
      await rm(holdingFile, { force: true });
    },
  };
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
