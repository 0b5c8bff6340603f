import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readContexts } from './contexts.ts';
import { Failure } from './failure.ts';

/** Which server a command talks to, and who said so. */
export interface Server {
  readonly url: string;
  readonly token?: string;
  readonly from: string;
}

interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `--context` */
  readonly context?: string | undefined;
}

export const defaultPort = 7373;

/**
 * `--context`, else `SERIN_URL` with `SERIN_TOKEN`, else the current context, else the `.serin/server.json` of this
 * folder or one above, else the default port of this machine.
 */
export async function findServer({ env, cwd, context }: Place): Promise<Server> {
  const token = env.SERIN_TOKEN ? { token: env.SERIN_TOKEN } : {};
  if (context === undefined && env.SERIN_URL)
    return { url: serverUrl(env.SERIN_URL, 'SERIN_URL'), ...token, from: 'SERIN_URL' };
  const saved = await readContexts(env);
  const name = context ?? saved.current;
  if (name !== undefined) {
    const chosen = Object.hasOwn(saved.contexts, name) ? saved.contexts[name] : undefined;
    if (chosen === undefined)
      throw new Failure(3, `there is no context '${name}'`, { mend: 'serin context list, or serin context add' });
    return {
      url: serverUrl(chosen.url, `the context '${name}'`),
      ...pick(chosen.token),
      ...token,
      from: `context ${name}`,
    };
  }
  return (await ownServer(cwd)) ?? { url: `http://127.0.0.1:${defaultPort}`, ...token, from: 'the default' };
}

const pick = (token: string | undefined) => (token === undefined ? {} : { token });

function serverUrl(text: string, from: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw new Failure(2, `${from} is '${text}', which is not the address of a server`, {
      mend: 'such as https://serin.example.com',
    });
  return url.href.replace(/\/+$/, '');
}

const isLoopback = (url: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);

/** Whether a token sent to this server could be read on the way. */
export const sendsInTheClear = (url: string): boolean => url.startsWith('http:') && !isLoopback(url);

/**
 * What `serin dev` wrote. A folder that was downloaded may hold such a file as well: it is believed only when it is
 * this user's alone and names this machine, and `SERIN_TOKEN` is never sent there.
 */
async function ownServer(folder: string): Promise<Server | undefined> {
  const file = join(folder, '.serin', 'server.json');
  const found = await readOwn(file);
  if (found !== undefined) return { ...found, from: file };
  return dirname(folder) === folder ? undefined : ownServer(dirname(folder));
}

async function readOwn(file: string): Promise<{ readonly url: string; readonly token?: string } | undefined> {
  try {
    const { mode, uid } = await stat(file);
    const others = process.platform !== 'win32' && ((mode & 0o077) !== 0 || uid !== process.getuid?.());
    if (others) return undefined;
    const { url, token } = JSON.parse(await readFile(file, 'utf8')) as { url?: unknown; token?: unknown };
    if (typeof url !== 'string' || !isLoopback(url)) return undefined;
    return { url, ...(typeof token === 'string' ? { token } : {}) };
  } catch {
    return undefined; // not there, or not ours
  }
}
