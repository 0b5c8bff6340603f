import { asFault, type Fault } from '@serin/core/base/fault';
import { type Addressed, type Fact, type Owners, signalsOf, type Unreadable } from '@serin/core/inbound/fact';
import { foldHints } from '@serin/core/inbound/hints';
import type { Routes } from '@serin/core/inbound/route';
import { withKnownEnds } from '@serin/core/model/monitor/monitor';

/** A message of the queue. */
export interface Message {
  readonly id: string;
  readonly body: string;
}

/**
 * What the body of a message says. Twice: the same. A message for nobody is `unrouted`. A body that claims to be ours
 * or the platform's and cannot be read throws `invalid`, because it would fail again.
 */
export type Read = (body: string) => readonly (Fact | Unreadable)[];

/**
 * A signal for a stream, and the messages that brought it. If it cannot be committed these messages fail, and no
 * others.
 */
export interface Arrival extends Omit<Addressed, 'saidAt'> {
  readonly messages: readonly string[];
}

export interface Batch {
  /** In the order in which they are to be committed. */
  readonly arrivals: readonly Arrival[];
  /** What was for nobody here, as names of counters. Its messages are done. */
  readonly unrouted: readonly string[];
  /** Messages that could not be read or looked up: the fault says whether to try again. */
  readonly failed: readonly { readonly id: string; readonly fault: Fault }[];
}

interface Around {
  readonly read: Read;
  readonly routes: Routes;
  readonly owners: Owners;
}

/**
 * The signals of a batch of messages: one hint for each model and kind, and every alarm and approval by itself, under
 * an id that is the same for each delivery.
 *
 * Twice, or in another order: the same arrivals. A message that fails takes no other with it, and the parts of it that
 * can be read arrive all the same.
 */
export async function readBatch(messages: readonly Message[], around: Around): Promise<Batch> {
  const all = await Promise.all(messages.map((message) => readOne(message, around)));
  return {
    arrivals: inOrder(all.flatMap(({ found = [] }) => found)),
    unrouted: all.flatMap(({ unrouted = [] }) => unrouted),
    failed: all.flatMap(({ failed = [] }) => failed),
  };
}

/** One signal of one message, before hints are folded. */
interface Found extends Addressed {
  readonly message: string;
}

interface ReadMessage extends Partial<Omit<Batch, 'arrivals'>> {
  readonly found?: readonly Found[];
}

async function readOne({ id, body }: Message, { read, routes, owners }: Around): Promise<ReadMessage> {
  try {
    const facts = read(body);
    const readable = facts.filter((fact) => fact.kind !== 'unreadable');
    const found = await Promise.all(readable.map((fact) => signalsOf(fact, routes, owners)));
    const [unreadable] = facts.filter((fact) => fact.kind === 'unreadable');
    return {
      found: found.flat().map((each) => ({ ...each, message: id })),
      unrouted: readable.flatMap((fact, index) => (found[index]?.length === 0 ? [nameOf(fact)] : [])),
      ...(unreadable === undefined ? {} : { failed: [{ id, fault: unreadable.fault }] }),
    };
  } catch (error) {
    return { failed: [{ id, fault: asFault(error) }] };
  }
}

const nameOf = (fact: Fact): string => (fact.kind === 'unrouted' ? fact.what : `${fact.kind} of no model`);

/** An alarm comes before its end, in any order of the messages. */
function inOrder(all: readonly Found[]): readonly Arrival[] {
  const folded = foldHints(all).toSorted((a, b) => compare(a.addressed.saidAt ?? '', b.addressed.saidAt ?? ''));
  const arrivals = folded.map(({ addressed: { saidAt: _, message: __, ...arrival }, of }) => ({
    ...arrival,
    messages: [...new Set(of.map(({ message }) => message))].sort(),
  }));
  return withKnownEnds(arrivals, ({ stream }) => stream);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
