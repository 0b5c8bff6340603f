import { type Client, createClient, type Document } from './client.ts';
import { readContexts } from './contexts.ts';
import { path } from './invocation.ts';
import { findServer } from './server.ts';
import { harmless } from './terminal.ts';
import { isDocument } from './wait.ts';

/** How long somebody who presses Tab waits. */
const withinMs = 1_500;
const most = 200;

type Proposal = readonly [word: string, does?: string | undefined];
type Proposer = (client: Client, model: string) => Promise<readonly Proposal[]>;

const rows = async (
  client: Client,
  of: string,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly Document[]> => (await client.list(of, query, most)).items.filter(isDocument);

const models: Proposer = async (client) =>
  (await rows(client, '/v1/models')).map(({ model, champion }) => [
    String(model),
    champion === undefined ? 'no champion yet' : `champion v${champion}`,
  ]);

const listed =
  (of: string): Proposer =>
  async (client) =>
    (await rows(client, of)).map(({ id, model, name, status, role }) => [
      String(id),
      [model ?? name, status ?? role].filter((part) => part !== undefined).join(' '),
    ]);

const statuses =
  (of: string): Proposer =>
  async (client) =>
    [...new Set((await rows(client, of)).map(({ status }) => String(status)))].map((status) => [status]);

const versions: Proposer = async (client, model) =>
  (await client.whole(path`/v1/models/${model}/versions`)).items
    .filter(isDocument)
    .map(({ number, state }) => [String(number), String(state ?? '')]);

const datasets: Proposer = async (client, model) =>
  (await rows(client, path`/v1/models/${model}/datasets`)).map(({ digest, current }) => [
    String(digest).slice(0, 12),
    current === true ? 'current' : '',
  ]);

const together =
  (...proposers: readonly Proposer[]): Proposer =>
  async (client, model) =>
    (await Promise.all(proposers.map((propose) => propose(client, model)))).flat();

const runs = listed('/v1/runs');
const rollouts = listed('/v1/rollouts');

/** By what a completion script asks for. */
const proposers: Readonly<Record<string, Proposer>> = {
  ...{ models, runs, rollouts, versions, datasets },
  'dead-letters': listed('/v1/dead-letters'),
  tokens: listed('/v1/tokens'),
  things: together(models, rollouts, runs),
  served: together(models, runs),
  streams: async (client, model) => (await models(client, model)).map(([name, does]) => [`model/${name}`, does]),
  'statuses-runs': statuses('/v1/runs'),
  'statuses-rollouts': statuses('/v1/rollouts'),
};

/**
 * Names that the server knows, for the completion of a shell: one a line, with its kind after a tab. A server
 * that does not answer has none, and says nothing into the line that somebody is writing.
 */
export async function complete(
  [kind = '', model = '']: readonly string[],
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): Promise<string> {
  try {
    const found = kind === 'contexts' ? await contexts(env) : await proposed(kind, model, { env, cwd });
    return found.map(([word, does = '']) => `${oneWord(word)}${does === '' ? '' : `\t${oneWord(does)}`}\n`).join('');
  } catch {
    return '';
  }
}

async function proposed(kind: string, model: string, { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string }) {
  const propose = Object.hasOwn(proposers, kind) ? proposers[kind] : undefined;
  if (propose === undefined) return [];
  return propose(createClient(await findServer({ env, cwd }), AbortSignal.timeout(withinMs)), model);
}

const contexts = async (env: NodeJS.ProcessEnv): Promise<readonly Proposal[]> =>
  Object.entries((await readContexts(env)).contexts).map(([name, { url }]) => [name, url]);

const oneWord = (text: string): string => harmless(text).replace(/\s+/g, ' ');
