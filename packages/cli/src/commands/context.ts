import { text as readAll } from 'node:stream/consumers';
import { contextsFile, readContexts, writeContexts } from '../contexts.ts';
import { Failure } from '../failure.ts';
import { argument, type Command, show, textOption } from '../invocation.ts';
import { table } from '../table.ts';

export const listContexts: Command = async (invocation) => {
  const { current, contexts } = await readContexts(invocation.env);
  const items = Object.entries(contexts).map(([name, { url, token }]) => ({
    name,
    url,
    token: token !== undefined,
    current: name === current,
  }));
  const shown = items.map((item) => ({
    ...item,
    token: item.token ? 'saved' : 'none',
    current: item.current ? '*' : '',
  }));
  show(invocation, { items }, () =>
    items.length === 0
      ? ''
      : table(shown, { NAME: 'name', CURRENT: 'current', URL: 'url', TOKEN: 'token' }, invocation.terminal),
  );
  if (items.length === 0 && !invocation.terminal.json)
    invocation.terminal.say("no contexts yet; 'serin context add' saves one\n");
  return 0;
};

export const useContext: Command = async (invocation) => {
  const name = argument(invocation, 0);
  const saved = await readContexts(invocation.env);
  if (!Object.hasOwn(saved.contexts, name))
    throw new Failure(3, `there is no context '${name}'`, { mend: 'serin context list' });
  await writeContexts(invocation.env, { ...saved, current: name });
  show(invocation, { current: name }, () => `${name} is the current context\n`);
  return 0;
};

/** Saves a server, or replaces what was saved under its name; the first one becomes the current one. */
export const addContext: Command = async (invocation) => {
  const name = argument(invocation, 0);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new Failure(2, `'${name}' cannot name a context`, { mend: 'letters, digits, dots and hyphens' });
  const url = textOption(invocation, 'url') ?? invocation.env.SERIN_URL;
  if (url === undefined || !/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new Failure(2, 'a context wants the address of a server', { mend: '--url https://serin.example.com' });
  // A token on the command line would be in the shell's history and in the list of processes.
  const token =
    invocation.options.tokenStdin === true ? (await readAll(process.stdin)).trim() : invocation.env.SERIN_TOKEN;
  const saved = await readContexts(invocation.env);
  const context = { url: url.replace(/\/+$/, ''), ...(token ? { token } : {}) };
  await writeContexts(invocation.env, {
    current: saved.current ?? name,
    contexts: { ...saved.contexts, [name]: context },
  });
  show(
    invocation,
    { name, url: context.url, token: Boolean(token) },
    () => `saved ${name} in ${contextsFile(invocation.env)}\n`,
  );
  return 0;
};
