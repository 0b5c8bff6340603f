import { asFault, type Fault } from '@serin/core/base/fault';
import { canonical, sha256Hex } from '@serin/core/base/json';
import { type Routes, route, takersOf } from '@serin/core/inbound/route';
import { withKnownEnds } from '@serin/core/model/monitor/monitor';
import type { OutsideSignal } from '@serin/core/model/signal';
import type { NamedJob } from './jobs/owner.ts';
import type { Installation } from './names.ts';
import type { Told } from './signals/fact.ts';
import { told } from './signals/told.ts';

/** A record of the queue, as Lambda gives it. */
export interface Message {
  readonly messageId: string;
  readonly body: string;
}

/** Whose the provider's resources are; `undefined`: not ours. A `Fault` that it throws fails the message that asked. */
export interface LookUp {
  readonly installation: Installation;
  modelOfEndpoint(name: string): Promise<string | undefined>;
  modelOfJob(job: NamedJob): Promise<string | undefined>;
  /**
   * The version of a package of which the registry itself says what was decided; one that is still undecided throws
   * `unavailable`. `by`: who decided, as AWS knows them.
   */
  versionOfPackage(
    arn: string,
    decided: 'approved' | 'rejected',
  ): Promise<{ readonly model: string; readonly version: number; readonly by?: string } | undefined>;
}

/** A signal for a stream. One with an id is known when it comes again; hints need none. */
export interface Arrival {
  readonly stream: string;
  readonly signal: OutsideSignal;
  readonly id?: string;
  /** Who decided; of approvals alone. */
  readonly by?: string;
  /** The messages that told it: when it cannot be committed these have failed, and no other. */
  readonly messages: readonly string[];
}

export interface Batch {
  /** In the order in which they are to be told. */
  readonly arrivals: readonly Arrival[];
  /** What was for nobody here, in words to count by; its messages are done. */
  readonly foreign: readonly string[];
  /** Messages that could not be read or looked up: the fault says whether to try again. */
  readonly failed: readonly { readonly messageId: string; readonly fault: Fault }[];
}

/**
 * What a batch of messages comes to: hints folded to one for each model and kind, alarms and approvals one by one,
 * under an id that is equal for each delivery.
 *
 * Twice, or in another order: the same arrivals. A message fails alone; what of it can be read arrives all the same.
 */
export async function readBatch(messages: readonly Message[], routes: Routes, lookUp: LookUp): Promise<Batch> {
  const read = await Promise.all(messages.map((message) => readOne(message, routes, lookUp)));
  return {
    arrivals: folded(read.flatMap(({ found = [] }) => found)),
    foreign: read.flatMap(({ foreign = [] }) => foreign),
    failed: read.flatMap(({ failed = [] }) => failed),
  };
}

interface Read extends Partial<Omit<Batch, 'arrivals'>> {
  readonly found?: readonly Found[];
}

async function readOne({ messageId, body }: Message, routes: Routes, lookUp: LookUp): Promise<Read> {
  try {
    const facts = told(body);
    const readable = facts.filter((fact) => fact.kind !== 'unreadable');
    const found = await Promise.all(readable.map((fact) => signalsOf(fact, routes, lookUp)));
    const [unreadable] = facts.filter((fact) => fact.kind === 'unreadable');
    return {
      found: found.flat().map((each) => ({ ...each, messages: [messageId] })),
      foreign: readable.flatMap((fact, index) => (found[index]?.length === 0 ? [nobodys(fact)] : [])),
      ...(unreadable === undefined ? {} : { failed: [{ messageId, fault: unreadable.fault }] }),
    };
  } catch (error) {
    return { failed: [{ messageId, fault: asFault(error) }] };
  }
}

const nobodys = (fact: Readable): string => (fact.kind === 'foreign' ? fact.what : `${fact.kind} of no model`);

/** An arrival before it is folded. */
interface Found extends Arrival {
  /** When its sender says that it happened: orders a batch, and is never obeyed as a time. */
  readonly saidAt?: string;
}
type Bare = Omit<Found, 'messages'>;

type Readable = Exclude<Told, { kind: 'unreadable' }>;

async function signalsOf(fact: Readable, routes: Routes, lookUp: LookUp): Promise<readonly Bare[]> {
  switch (fact.kind) {
    case 'object': {
      const told = takersOf(routes, fact.bucket, fact.key);
      // Whether EventBridge encodes keys is documented by one sample only; an emulator does. A hint too many costs nothing.
      const key = told.models.length > 0 ? fact.key : unescaped(fact.key);
      const { models, type } = takersOf(routes, fact.bucket, key);
      return models.map((model) => ({ stream: `model/${model}`, signal: { type, keys: [key] } }));
    }
    case 'job':
      return hintFor(await lookUp.modelOfJob(fact), { type: 'jobHinted' });
    case 'endpoint':
      return hintFor(await lookUp.modelOfEndpoint(fact.name), { type: 'endpointHinted' });
    case 'tick':
      return [{ stream: fact.stream, signal: { type: 'clockTicked' } }];
    case 'alarm':
      return alertsOf(
        fact,
        (named) => modelsNamed(named, routes, lookUp.installation),
        await Promise.all(fact.endpoints.map((name) => lookUp.modelOfEndpoint(name))),
      );
    case 'approval':
      // Whoever may publish to a topic of alarms could say it as well: only the registry is believed.
      return approvalOf(
        fact,
        await lookUp.versionOfPackage(fact.arn, fact.status === 'Approved' ? 'approved' : 'rejected'),
      );
    case 'foreign':
      return [];
  }
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key; // a name with a percent sign of its own
  }
}

const hintFor = (model: string | undefined, signal: OutsideSignal): readonly Bare[] =>
  model === undefined ? [] : [{ stream: `model/${model}`, signal }];

const sender = 'cloudwatch';

/** An alert is known by its sender, the ARN of its alarm and the time of its state, whichever way it came. */
function alertsOf(
  { state, alarm: fingerprint, startedAt, title, models }: Extract<Told, { kind: 'alarm' }>,
  modelsOf: (named: { readonly model: string; readonly isOurs: boolean }) => readonly string[],
  owners: readonly (string | undefined)[],
): readonly Bare[] {
  const ours = owners.filter((model) => model !== undefined);
  // One description may stand on the alarms of each environment of an account. A name alone says nothing of which one
  // is meant: only an endpoint of ours does.
  const isTheirs = owners.length > 0 && ours.length === 0;
  const named = isTheirs ? [] : models.flatMap((model) => modelsOf({ model, isOurs: ours.length > 0 }));
  const signal: OutsideSignal =
    state === 'ALARM'
      ? { type: 'alertRaised', kind: 'alert', sender, fingerprint, startedAt, title }
      : { type: 'alertResolved', sender, fingerprint, endedAt: startedAt };
  const id = idOf('cw', fingerprint, state, startedAt);
  return [...new Set([...ours, ...named])].map((model) => ({
    stream: `model/${model}`,
    signal,
    id,
    saidAt: startedAt,
  }));
}

/** `prod/fraud` or `prod/shop/fraud`, of this environment (and project); `fraud` if the alarm is one of ours anyway. */
function modelsNamed(
  { model: text, isOurs }: { readonly model: string; readonly isOurs: boolean },
  routes: Routes,
  { environment, project }: Installation,
): readonly string[] {
  const parts = text.split('/');
  const model = parts.pop() ?? '';
  const [ofEnvironment, ofProject = project, ...more] = parts;
  const isHere = ofEnvironment === undefined ? isOurs : ofEnvironment === environment;
  return isHere && ofProject === project && more.length === 0 ? route(routes, { kind: 'named', model }) : [];
}

function approvalOf(
  { arn, status, modifiedAt: saidAt, note }: Extract<Told, { kind: 'approval' }>,
  found: Awaited<ReturnType<LookUp['versionOfPackage']>>,
): readonly Bare[] {
  if (found === undefined) return [];
  const { model, version, by = 'sagemaker' } = found;
  const said = { version, approved: status === 'Approved', ...(note === undefined ? {} : { note }) };
  const id = idOf('sm', arn, status, saidAt);
  return [{ stream: `model/${model}`, signal: { type: 'approvalGiven', ...said }, id, by, saidAt }];
}

const idOf = (prefix: 'cw' | 'sm', ...of: readonly string[]): string =>
  `${prefix}_${sha256Hex(canonical(of)).slice(0, 32)}`;

function folded(all: readonly Found[]): readonly Arrival[] {
  const found = new Map<string, Found>();
  for (const each of all) {
    const identity = canonical([each.stream, each.id ?? each.signal.type]);
    const before = found.get(identity);
    found.set(identity, before === undefined ? each : joined(before, each));
  }
  // An alarm is told before its end, whichever message came first.
  const inOrder = [...found]
    .sort(([a, one], [b, other]) => compare(one.saidAt ?? '', other.saidAt ?? '') || compare(a, b))
    .map(([, each]) => each);
  return withKnownEnds(inOrder, ({ stream }) => stream).map(({ saidAt: _, signal, messages, ...rest }) => ({
    ...rest,
    signal: capped(signal),
    messages: [...new Set(messages)].sort(compare),
  }));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const joined = (before: Found, next: Found): Found => ({
  ...before,
  messages: [...before.messages, ...next.messages],
  signal:
    'keys' in before.signal && 'keys' in next.signal
      ? { ...before.signal, keys: [...before.signal.keys, ...next.signal.keys] }
      : before.signal,
});

/** More keys than this say nothing that fewer do not. */
const keptKeys = 50;

/** A queue has no order, so of too many keys none is the last: without keys anything may have come. */
function capped(signal: OutsideSignal): OutsideSignal {
  if (!('keys' in signal)) return signal;
  const keys = [...new Set(signal.keys)].sort(compare);
  return { ...signal, keys: keys.length > keptKeys ? [] : keys };
}
