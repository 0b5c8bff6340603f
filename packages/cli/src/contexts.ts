import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from './failure.ts';

export interface SavedContext {
  readonly url: string;
  readonly token?: string;
}

export interface Contexts {
  readonly current?: string;
  readonly contexts: Readonly<Record<string, SavedContext>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `contexts.json` under `XDG_CONFIG_HOME`, or `~/.config`. */
export const contextsFile = (env: Environment): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'serin', 'contexts.json');

/** What was saved; nothing yet: no contexts. A file that does not hold contexts is a failure, never overwritten. */
export async function readContexts(env: Environment): Promise<Contexts> {
  const file = contextsFile(env);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Failure(1, `cannot read ${file}`, {
      why: error.message,
      mend: 'correct the rights of the file, or move it away',
    });
  });
  if (text === undefined) return { contexts: {} };
  try {
    const read = JSON.parse(text) as Partial<Contexts>;
    if (typeof read.contexts === 'object' && read.contexts !== null) return { ...read, contexts: read.contexts };
  } catch {
    // Said below.
  }
  throw new Failure(1, `${file} is not a file of contexts`, { mend: 'correct the file, or move it away' });
}

/** Only its owner can read it, because it holds tokens. Others see it whole or not at all. */
export async function writeContexts(env: Environment, contexts: Contexts): Promise<void> {
  const file = contextsFile(env);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writePrivate(file, `${JSON.stringify(contexts, null, 2)}\n`);
}

export async function writePrivate(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await chmod(draft, 0o600);
  await rename(draft, file);
}
