import type { Fault } from '../base/fault.ts';
import { canonical, sha256Hex } from '../base/json.ts';
import type { AlertRaised, AlertResolved } from '../model/monitor/protocol.ts';
import type { OutsideSignal } from '../model/protocol.ts';
import type { Trigger } from '../model/run/protocol.ts';
import { modelsBelow, type Routes, route, takersOf } from './route.ts';

/**
 * What one message from outside says. It is parsed, and nothing is decided yet. Times are ISO 8601 in UTC; keys and
 * names are decoded and not changed otherwise.
 *
 * An `id` is the same for each delivery of one happening. It is remembered, so it stays the same in all versions of
 * Serin.
 */
export type Fact = { readonly [Kind in keyof Facts]: { readonly kind: Kind } & Facts[Kind] }[keyof Facts];

interface Facts {
  /** A new object. `orKey`: the key if no model takes `key`, from a sender that may have encoded it. */
  readonly object: Partial<Identity> & { readonly bucket: string; readonly key: string; readonly orKey?: string };
  /** Something came below this folder of a bucket; nobody knows what. Without a key it may lie anywhere. */
  readonly folder: { readonly bucket: string; readonly key?: string };
  /** A job changed, by the id that the `Jobs` port gave it. */
  readonly job: { readonly job: string };
  /** An endpoint changed, by its provider's name. */
  readonly endpoint: { readonly name: string };
  /** An alarm of a source that sends nothing else, or its end. */
  readonly alarm: Identity & {
    readonly of: AlarmOf;
    readonly says: AlertRaised | AlertResolved;
    /** When it happened, by a sender that stamps each change: orders a batch, and is never obeyed as a time. */
    readonly saidAt?: string;
  };
  /** An event of any tool: an alarm only if the config of the model that it names lists its type. */
  readonly event: Identity &
    Pick<AlertRaised, 'sender' | 'startedAt' | 'title'> & {
      readonly type: string;
      readonly subject?: string;
      readonly names: readonly string[];
    };
  /** A registry says that somebody decided on a version. The registry is asked itself before that counts. */
  readonly approval: Identity & {
    /** The version, as its registry names it. */
    readonly ref: string;
    readonly approved: boolean;
    readonly saidAt: string;
    /** Who decided, if the registry names nobody. */
    readonly by: string;
    readonly note?: string;
  };
  /** A verified push of a commit. */
  readonly push: Identity & {
    readonly from: 'github' | 'webhook';
    readonly repository: string;
    readonly ref: string;
    readonly commit: string;
    readonly by: string;
    readonly image?: string;
    /** Only this model, of those that the push is for. */
    readonly model?: string;
  };
  /** Somebody wants a run. */
  readonly run: Identity & { readonly model: string; readonly trigger: Trigger };
  /** Our own: a stream owes something, or a time has come. */
  readonly tick: { readonly stream: string };
  /** Not for us. It is acknowledged, and counted under `what`. */
  readonly unrouted: { readonly what: string };
}

interface Identity {
  readonly id: string;
}

export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { kind: Kind }>;

/** What says of which model an alarm is. */
export type AlarmOf =
  /** Names, the surest first: the first that is a model counts. */
  | { readonly names: readonly string[] }
  /**
   * Endpoints by their provider's names, and what people wrote into the alarm: `<environment>/<model>`, or
   * `<environment>/<project>/<model>`.
   */
  | { readonly endpoints: readonly string[]; readonly written: readonly string[] };

/** Part of a message that cannot be read; its other parts can. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly fault: Fault;
}

/** A message that is for nobody here. `what` names a counter, so it is short. */
export const unrouted = (what: string): FactOf<'unrouted'> => ({ kind: 'unrouted', what: what.slice(0, 120) });

/** The fingerprint of an alert whose sender gives none. The end of an alert has the one of the type that raised it. */
export const fingerprintOf = (raised: string, subject: string | undefined): string =>
  subject === undefined ? raised : `${raised}|${subject}`;

/** The id of a happening, from what its sender knows it by. */
export const idOf = (prefix: string, ...of: readonly string[]): string =>
  `${prefix}_${sha256Hex(canonical(of)).slice(0, 32)}`;

/** To which model the things of a provider belong; `undefined`: to none. A `Fault` from here fails the message. */
export interface Owners {
  /** What people may write before the name of a model; absent: such names are not used there. */
  readonly installation?: { readonly project: string; readonly environment: string };
  modelOfEndpoint(name: string): Promise<string | undefined>;
  modelOfJob(job: string): Promise<string | undefined>;
  /**
   * The version of which the registry itself says what was decided; one that is still undecided throws `unavailable`.
   * `by`: who decided, as the registry knows them.
   */
  versionOf(
    ref: string,
    decided: 'approved' | 'rejected',
  ): Promise<{ readonly model: string; readonly version: number; readonly by?: string } | undefined>;
}

const nobodys = async (): Promise<undefined> => undefined;
/** For facts that name their model themselves. */
const noOwners: Owners = { modelOfEndpoint: nobodys, modelOfJob: nobodys, versionOf: nobodys };

/** A signal and its stream. An id says that it came before; hints need none. */
export interface Addressed {
  readonly stream: string;
  readonly signal: OutsideSignal;
  readonly id?: string;
  /** Who decided; only of approvals. */
  readonly by?: string;
  readonly saidAt?: string;
}

/** The model that a stream is of. */
export const modelIn = (stream: string): string => stream.replace(/^model\//, '');

/** The signals that a fact means, each with the stream that decides on it. None: it is for nobody here. */
export async function signalsOf(fact: Fact, routes: Routes, owners: Owners = noOwners): Promise<readonly Addressed[]> {
  const row: Row<Fact> = rows[fact.kind]; // a row takes the facts of its kind
  return row(fact, { routes, owners });
}

interface Around {
  readonly routes: Routes;
  readonly owners: Owners;
}
type Answer = readonly Addressed[] | Promise<readonly Addressed[]>;
// A method, so that a table of rows can be asked with a fact of any kind.
type Row<Of extends Fact> = { bivariant(fact: Of, around: Around): Answer }['bivariant'];

const rows: { readonly [Kind in Fact['kind']]: Row<FactOf<Kind>> } = {
  object({ bucket, key, orKey = key, id }, { routes }) {
    const isTaken = takersOf(routes, bucket, key).models.length > 0;
    const taken = isTaken ? key : orKey;
    const { models, type } = takersOf(routes, bucket, taken);
    return forModels(models, { type, keys: [taken] }, id === undefined ? {} : { id });
  },
  folder({ bucket, key }, { routes }) {
    const keys = key === undefined ? [] : [key];
    return [
      ...forModels(modelsBelow(routes.data, bucket, key), { type: 'dataHinted', keys }),
      ...forModels(modelsBelow(routes.labels, bucket, key), { type: 'labelsHinted', keys }),
    ];
  },
  job: async ({ job }, { owners }) => forModels([await owners.modelOfJob(job)], { type: 'jobHinted' }),
  endpoint: async ({ name }, { owners }) => forModels([await owners.modelOfEndpoint(name)], { type: 'endpointHinted' }),
  async alarm({ id, of, says, saidAt }, { routes, owners }) {
    const models = 'names' in of ? firstKnown(of.names, routes) : await modelsOfAlarm(of, routes, owners);
    return forModels(models, says, { id, ...(saidAt === undefined ? {} : { saidAt }) });
  },
  event({ id, type, subject, names, sender, startedAt, title }, { routes }) {
    const [model] = firstKnown(names, routes);
    const listed = routes.alarms.filter((alarm) => alarm.model === model);
    const known = listed.find(({ raised, resolved }) => type === raised || type === resolved);
    if (known === undefined) return [];
    const fingerprint = fingerprintOf(known.raised, subject);
    const says: OutsideSignal =
      type === known.raised
        ? { type: 'alertRaised', kind: 'alert', sender, fingerprint, startedAt, title }
        : { type: 'alertResolved', sender, fingerprint };
    return forModels([model], says, { id });
  },
  async approval({ id, ref, approved, saidAt, note, ...fact }, { owners }) {
    // Anyone who may publish to a topic of alarms could say it, so only the registry is believed.
    const found = await owners.versionOf(ref, approved ? 'approved' : 'rejected');
    if (found === undefined) return [];
    const { model, version, by = fact.by } = found;
    const said = { version, approved, ...(note === undefined ? {} : { note }) };
    return forModels([model], { type: 'approvalGiven', ...said }, { id, by, saidAt });
  },
  push({ id, from, repository, ref, commit, by, image, model }, { routes }) {
    const models = route(routes, { kind: 'push', from, repository, ref });
    const trigger = { kind: 'ci', commit, by, ...(image === undefined ? {} : { image }) } as const;
    return forModels(
      models.filter((name) => model === undefined || name === model),
      { type: 'runRequested', trigger },
      { id },
    );
  },
  run: ({ id, model, trigger }, { routes }) =>
    forModels(firstKnown([model], routes), { type: 'runRequested', trigger }, { id }),
  tick: ({ stream }) => [{ stream, signal: { type: 'clockTicked' } }],
  unrouted: () => [],
};

const forModels = (
  models: readonly (string | undefined)[],
  signal: OutsideSignal,
  more: Omit<Addressed, 'stream' | 'signal'> = {},
): readonly Addressed[] =>
  models.flatMap((model) => (model === undefined ? [] : [{ stream: `model/${model}`, signal, ...more }]));

const firstKnown = (names: readonly string[], routes: Routes): readonly string[] =>
  names.filter((model) => routes.models.has(model)).slice(0, 1);

async function modelsOfAlarm(
  { endpoints, written }: Extract<AlarmOf, { readonly endpoints: unknown }>,
  routes: Routes,
  owners: Owners,
): Promise<readonly string[]> {
  const found = await Promise.all(endpoints.map((name) => owners.modelOfEndpoint(name)));
  const ours = found.filter((model) => model !== undefined);
  // Alarms of all environments of an account may have the same description. A name in it does not say which environment
  // is meant; only an endpoint of ours does.
  const isTheirs = found.length > 0 && ours.length === 0;
  const named = isTheirs ? [] : written.flatMap((text) => modelWritten(text, ours.length > 0, routes, owners));
  return [...new Set([...ours, ...named])];
}

/** `prod/fraud` or `prod/shop/fraud`, of this environment (and project); `fraud` if the alarm is one of ours anyway. */
function modelWritten(text: string, isOurs: boolean, routes: Routes, { installation }: Owners): readonly string[] {
  const { environment, project } = installation ?? {};
  const parts = text.split('/');
  const model = parts.pop() ?? '';
  const [ofEnvironment, ofProject = project, ...more] = parts;
  const isHere = ofEnvironment === undefined ? isOurs : ofEnvironment === environment;
  return isHere && ofProject === project && more.length === 0 ? firstKnown([model], routes) : [];
}
