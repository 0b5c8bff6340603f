import { text as readAll } from 'node:stream/consumers';
import { type Contexts, contextsFile, readContexts, writeContexts } from '../contexts.ts';
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

/** Makes a context the current one, or none of them: `--none`. */
export const useContext: Command = async (invocation) => {
  const none = invocation.options.none === true;
  const name = argument(invocation, 0);
  if (none === (name !== ''))
    throw new Failure(2, 'no context is named', { mend: "name one of 'serin context list', or give --none" });
  const { current: _, ...saved } = await readContexts(invocation.env);
  if (none) {
    await writeContexts(invocation.env, saved);
    show(invocation, { current: null }, () => 'no context is current\n');
    return 0;
  }
  refuseUnknown(saved, name);
  await writeContexts(invocation.env, { ...saved, current: name });
  show(
    invocation,
    { current: name },
    () => `${name} is the current context; the server of a project's own folder still comes first\n`,
  );
  return 0;
};

/** Forgets a context and its token; when it was current, none is. */
export const removeContext: Command = async (invocation) => {
  const name = argument(invocation, 0);
  const saved = await readContexts(invocation.env);
  refuseUnknown(saved, name);
  const { [name]: _, ...contexts } = saved.contexts;
  const { current, ...rest } = saved;
  await writeContexts(invocation.env, { ...rest, ...(current === name ? {} : pickCurrent(current)), contexts });
  show(invocation, { removed: name }, () => `removed ${name} from ${contextsFile(invocation.env)}\n`);
  return 0;
};

const pickCurrent = (current: string | undefined) => (current === undefined ? {} : { current });

function refuseUnknown({ contexts }: Contexts, name: string): void {
  if (!Object.hasOwn(contexts, name))
    throw new Failure(3, `there is no context '${name}'`, { mend: "name one of 'serin context list'" });
}

/** Saves a server, or replaces what was saved under its name; it becomes the current one only with `--use`. */
export const addContext: Command = async (invocation) => {
  const name = argument(invocation, 0);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new Failure(2, `a context cannot be named '${name}'`, { mend: 'use letters, digits, dots and hyphens' });
  const url = textOption(invocation, 'url') ?? invocation.env.SERIN_URL;
  if (url === undefined || !/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new Failure(2, 'a context needs the address of a server', {
      mend: 'give it with --url, such as https://serin.example.com',
    });
  // A token on the command line would be in the shell's history and in the list of processes.
  const token =
    invocation.options.tokenStdin === true ? (await readAll(process.stdin)).trim() : invocation.env.SERIN_TOKEN;
  const saved = await readContexts(invocation.env);
  const context = { url: url.replace(/\/+$/, ''), ...(token ? { token } : {}) };
  const used = invocation.options.use === true;
  await writeContexts(invocation.env, {
    ...saved,
    ...(used ? { current: name } : {}),
    contexts: { ...saved.contexts, [name]: context },
  });
  const next = used ? 'it is the current context' : `use it with --context ${name}, or: serin context use ${name}`;
  show(
    invocation,
    { name, url: context.url, token: Boolean(token), current: used },
    () => `saved ${name} in ${contextsFile(invocation.env)}; ${next}\n`,
  );
  return 0;
};
