import type { Document, Query } from '../client.ts';
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
import { type Columns, facts, table } from '../table.ts';

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
      RUN: 'run.status',
      ROLLOUT: 'rollout.status',
      ENDPOINT: 'endpoint',
      INTAKE: 'intake',
      OFFERED: 'offered',
      AT: 'at',
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
      BUCKET: 'bucket',
      PREFIX: 'prefix',
      VERSIONS: 'versions',
    },
    none: 'no dataset has settled yet',
  },
  runs: {
    path: () => '/v1/runs',
    columns: {
      ID: 'id',
      MODEL: 'model',
      STATUS: 'status',
      TRIGGER: 'trigger',
      VERSION: 'version',
      STARTED: 'startedAt',
      WHY: 'because',
    },
    none: 'no runs yet',
  },
  versions: {
    path: (invocation) => path`/v1/models/${argument(invocation, 0)}/versions`,
    columns: {
      VERSION: 'number',
      CHAMPION: 'champion',
      APPROVAL: 'approval.status',
      RUN: 'run',
      METRICS: 'metrics',
      QUARANTINED: 'quarantined.because',
      AT: 'at',
    },
    none: 'no versions yet',
    whole: true,
  },
  rollouts: {
    path: () => '/v1/rollouts',
    columns: {
      ID: 'id',
      MODEL: 'model',
      STATUS: 'status',
      VERSION: 'version',
      STABLE: 'stable',
      STARTED: 'startedAt',
      WHY: 'because',
    },
    none: 'no rollouts yet',
  },
  'dead-letters': {
    path: () => '/v1/dead-letters',
    columns: { ID: 'id', STREAM: 'stream', STATUS: 'status', AT: 'at', WHY: 'because' },
    none: 'no dead letters',
  },
  tokens: {
    path: () => '/v1/tokens',
    columns: {
      ID: 'id',
      NAME: 'name',
      ROLE: 'role',
      MODELS: 'models',
      CREATED: 'createdAt',
      BY: 'createdBy',
      EXPIRES: 'expiresAt',
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

const singles: Readonly<Record<string, (invocation: Invocation) => string>> = {
  models: (invocation) => path`/v1/models/${argument(invocation, 0)}`,
  datasets: (invocation) => path`/v1/models/${argument(invocation, 0)}/datasets/${argument(invocation, 1)}`,
  runs: (invocation) => path`/v1/runs/${argument(invocation, 0)}`,
  versions: (invocation) =>
    path`/v1/models/${argument(invocation, 0)}/versions/${argument(invocation, 1).replace(/^v/, '')}`,
  rollouts: (invocation) => path`/v1/rollouts/${argument(invocation, 0)}`,
};

/** Parts that are long and say little to a person; `--json` has them. */
const machineParts = ['plan', 'debts', 'seen', 'records', 'past', 'tells', 'schema', 'finished'];

export const get =
  (name: string): Command =>
  async (invocation) => {
    const document = await (await clientOf(invocation)).get(singles[name]?.(invocation) ?? '');
    show(invocation, document, () => forPeople(document, invocation));
    return 0;
  };

const forPeople = (document: Document, { terminal }: Invocation): string =>
  facts(Object.fromEntries(Object.entries(document).filter(([key]) => !machineParts.includes(key))), terminal);

export const history: Command = async (invocation) => {
  const at = textOption(invocation, 'at');
  const document = await (await clientOf(invocation)).get(path`/v1/models/${argument(invocation, 0)}/history`, { at });
  const rows = document.served;
  show(invocation, document, () =>
    Array.isArray(rows)
      ? table(rows, { AT: 'at', VERSION: 'version', WHY: 'because' }, invocation.terminal)
      : forPeople(document, invocation),
  );
  return 0;
};
