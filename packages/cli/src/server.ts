import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readContexts } from './contexts.ts';
import { Failure } from './failure.ts';

/** Which server a command talks to, and who said so. */
export interface Server {
  readonly url: string;
  readonly token?: string;
  readonly from: string;
  /** The server that `serin dev` runs for this folder: the one that a person in it means. */
  readonly own?: true;
}

interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `--context` */
  readonly context?: string | undefined;
}

export const defaultPort = 7373;

/**
 * `--context`, else `SERIN_URL` with `SERIN_TOKEN`, else the server of this folder or of one above
 * (`.serin/server.json`), else the context that `context use` made current, else the default port of this machine.
 *
 * The nearest wins, so a command in a project's folder never reaches another server because of an earlier `context`.
 */
export async function findServer({ env, cwd, context }: Place): Promise<Server> {
  const token = env.SERIN_TOKEN ? { token: env.SERIN_TOKEN } : {};
  if (context !== undefined) return { ...(await savedServer(env, context)), ...token };
  if (env.SERIN_URL) return { url: serverUrl(env.SERIN_URL, 'SERIN_URL'), ...token, from: 'SERIN_URL' };
  const own = await ownServer(cwd);
  if (own !== undefined) return refuseUnusedToken(own, env);
  const { current } = await readContexts(env);
  if (current !== undefined) return { ...(await savedServer(env, current)), ...token };
  return { url: `http://127.0.0.1:${defaultPort}`, ...token, from: 'the default' };
}

async function savedServer(env: Place['env'], name: string): Promise<Server> {
  const { contexts } = await readContexts(env);
  const chosen = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (chosen === undefined)
    throw new Failure(3, `there is no context '${name}'`, {
      mend: "name one of 'serin context list', or add it with 'serin context add'",
    });
  return { url: serverUrl(chosen.url, `the context '${name}'`), ...pick(chosen.token), from: `context ${name}` };
}

/** Whoever sets a token says who they are; acting as somebody else instead would put the wrong name on record. */
function refuseUnusedToken(own: Server, env: Place['env']): Server {
  if (env.SERIN_TOKEN && env.SERIN_TOKEN !== own.token)
    throw new Failure(2, `SERIN_TOKEN is set, but is not sent to ${own.url}, the server of ${own.from}`, {
      mend: `set SERIN_URL=${own.url} too, or unset SERIN_TOKEN to act as the administrator of this folder`,
    });
  return own;
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
    throw new Failure(2, `${from} is '${text}', not the address of a server`, {
      mend: 'give one such as https://serin.example.com',
    });
  return url.href.replace(/\/+$/, '');
}

const isLoopback = (url: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);

/** Whether a token sent to this server could be read on the way. */
export const sendsInTheClear = (url: string): boolean => url.startsWith('http:') && !isLoopback(url);

/**
 * What `serin dev` wrote. A folder that was downloaded may hold such a file as well: it is believed only when it
 * belongs to this user, nobody else can read it and it names this machine. `SERIN_TOKEN` is never sent there.
 */
async function ownServer(folder: string): Promise<Server | undefined> {
  const file = join(folder, '.serin', 'server.json');
  const found = await readOwn(file);
  if (found !== undefined) return { ...found, from: file, own: true };
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
