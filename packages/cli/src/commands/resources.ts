import type { Query } from '../client.ts';
import {
  argument,
  type Command,
  clientOf,
  type Invocation,
  numberOption,
  path,
  show,
  textOption,
} from '../invocation.ts';
import type { Screen } from '../screens/parts.ts';
import { type Columns, facts, table } from '../table.ts';
import { versionPath } from '../version-argument.ts';

/** A list of the API and the columns that a person sees of it. */
interface List {
  readonly path: (invocation: Invocation) => string;
  readonly columns: Columns;
  readonly none: string;
  /** The API answers it whole, and knows no pages of it. */
  readonly whole?: true;
}

const lists: Readonly<Record<string, List>> = {
  models: {
    path: () => '/v1/models',
    columns: {
      MODEL: 'model',
      CHAMPION: 'champion',
      RUN: { path: 'run.status', as: 'state' },
      ROLLOUT: { path: 'rollout.status', as: 'state' },
      ENDPOINT: { path: 'endpoint', as: 'state', drop: 2 },
      INTAKE: { path: 'intake', as: 'state', drop: 3 },
      OFFERED: { path: 'offered', drop: 1 },
      FIRING: 'firing',
      MOVED: { path: 'at', as: 'ago', drop: 4 },
    },
    none: "no models yet; 'serin release' makes them",
  },
  datasets: {
    path: (invocation) => path`/v1/models/${argument(invocation, 0)}/datasets`,
    columns: {
      DIGEST: 'digest',
      CURRENT: 'current',
      OBJECTS: 'objects',
      BYTES: 'bytes',
      BUCKET: { path: 'bucket', drop: 2 },
      PREFIX: { path: 'prefix', drop: 1 },
      VERSIONS: 'versions',
    },
    none: 'no dataset has settled yet',
  },
  runs: {
    path: () => '/v1/runs',
    columns: {
      ID: { path: 'id', as: 'id' },
      MODEL: 'model',
      STATUS: { path: 'status', as: 'state' },
      TRIGGER: { path: 'trigger', drop: 2 },
      VERSION: { path: 'version', drop: 1 },
      STARTED: { path: 'startedAt', as: 'ago' },
      WHY: 'because',
    },
    none: 'no runs yet',
  },
  rollouts: {
    path: () => '/v1/rollouts',
    columns: {
      ID: { path: 'id', as: 'id' },
      MODEL: 'model',
      STATUS: { path: 'status', as: 'state' },
      VERSION: 'version',
      STABLE: { path: 'stable', drop: 2 },
      STARTED: { path: 'startedAt', as: 'ago', drop: 1 },
      WHY: 'because',
    },
    none: 'no rollouts yet',
  },
  'dead-letters': {
    path: () => '/v1/dead-letters',
    columns: {
      ID: { path: 'id', as: 'id' },
      STREAM: 'stream',
      STATUS: { path: 'status', as: 'state', drop: 1 },
      BURIED: { path: 'at', as: 'ago', drop: 2 },
      WHY: 'because',
    },
    none: 'no dead letters',
  },
  tokens: {
    path: () => '/v1/tokens',
    columns: {
      ID: { path: 'id', as: 'id' },
      NAME: 'name',
      ROLE: 'role',
      MODELS: 'models',
      CREATED: { path: 'createdAt', as: 'ago', drop: 2 },
      BY: { path: 'createdBy', drop: 1 },
      EXPIRES: { path: 'expiresAt', as: 'ago' },
    },
    none: 'no tokens',
    whole: true,
  },
};

const defaultLimit = 50;

export const list =
  (name: string): Command =>
  async (invocation) => {
    const what = lists[name];
    if (what === undefined) throw new Error(`there is no list of ${name}; this is a defect of Serin, report it`);
    const query: Query = {
      model: textOption(invocation, 'model'),
      status: textOption(invocation, 'status'),
      cursor: textOption(invocation, 'cursor'),
    };
    const client = await clientOf(invocation);
    const limit = numberOption(invocation, 'limit') ?? defaultLimit;
    const page =
      what.whole === true
        ? await client.whole(what.path(invocation))
        : await client.list(what.path(invocation), query, limit);
    show(invocation, page, () => (page.items.length === 0 ? '' : table(page.items, what.columns, invocation.terminal)));
    if (invocation.terminal.json) return 0;
    if (page.items.length === 0) invocation.terminal.say(`${what.none}\n`);
    if (page.next !== undefined) invocation.terminal.say(`there is more: --cursor ${page.next}\n`);
    return 0;
  };

/** One thing of the API, and the screen that a person sees of it. */
interface Single {
  readonly path: (invocation: Invocation) => string;
  readonly screen: () => Promise<Screen>;
}

const singles: Readonly<Record<string, Single>> = {
  models: {
    path: (invocation) => path`/v1/models/${argument(invocation, 0)}`,
    screen: async () => (await import('../screens/model.ts')).modelScreen,
  },
  datasets: {
    path: (invocation) => path`/v1/models/${argument(invocation, 0)}/datasets/${argument(invocation, 1)}`,
    screen: async () => facts,
  },
  runs: {
    path: (invocation) => path`/v1/runs/${argument(invocation, 0)}`,
    screen: async () => (await import('../screens/run.ts')).runScreen,
  },
  versions: {
    path: (invocation) => versionPath(invocation),
    screen: async () => (await import('../screens/version.ts')).versionScreen,
  },
  rollouts: {
    path: (invocation) => path`/v1/rollouts/${argument(invocation, 0)}`,
    screen: async () => (await import('../screens/rollout.ts')).rolloutScreen,
  },
};

export const get =
  (name: string): Command =>
  async (invocation) => {
    const single = singles[name];
    if (single === undefined) throw new Error(`there is no screen of ${name}; this is a defect of Serin, report it`);
    const document = await (await clientOf(invocation)).get(single.path(invocation));
    const draw = await single.screen();
    show(invocation, document, () => draw(document, invocation.terminal));
    return 0;
  };

export const history: Command = async (invocation) => {
  const at = textOption(invocation, 'at');
  const document = await (await clientOf(invocation)).get(path`/v1/models/${argument(invocation, 0)}/history`, { at });
  const rows = Array.isArray(document.served) ? document.served : [];
  const columns: Columns = { AT: { path: 'at', as: 'at' }, VERSION: 'version', WHY: 'because' };
  show(invocation, document, () => table(rows, columns, invocation.terminal));
  return 0;
};
