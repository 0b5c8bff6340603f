import { asFault } from '../base/fault.ts';
import { day, instant, second } from '../base/time.ts';
import type { Order } from '../model/protocol.ts';
import { engineActor } from '../ports/actors.ts';
import type { CloudEvent } from '../ports/bus.ts';
import type { SinkPlan } from '../ports/notify.ts';
import { matches } from '../sinks/sink.ts';
import { bury } from './dead-letters.ts';
import type { Surroundings } from './perform.ts';

type Reading = Pick<Surroundings, 'ports' | 'stream' | 'source'>;

const entriesPerBatch = 100;

/** Publishes the events of the entries `from < seq <= to`, in order. */
export async function publish(from: number, to: number, around: Reading): Promise<void> {
  for (let after = from; after < to; after += entriesPerBatch) {
    const happened = await eventsOf(after, Math.min(to, after + entriesPerBatch), around);
    const batch = happened.flatMap(({ events }) => events);
    if (batch.length > 0) await around.ports.bus.publish(batch);
  }
}

/** After this an answer is due: what was delivered counts, and the rest has a lease of its own. */
const longestMs = 10 * second;
const longestWaitMs = 3 * day;

/** How far a sink was notified: of all entries up to one, and of the first `delivered` events of the next. */
interface Place {
  readonly upTo: number;
  readonly delivered?: number;
}

/**
 * Delivers to one sink the events that it wants, in order; answers how far that came. What the sink refuses for good, and
 * what waited for three days, becomes a dead letter, which can be replayed: that is delivered whatever the sink wants now.
 */
export async function notify(
  { sink, from, to, delivered = 0, index: only }: Extract<Order, { kind: 'notify' }>,
  around: Reading & Pick<Surroundings, 'now'>,
): Promise<Place> {
  const begunAt = around.now();
  let place: Place | undefined;
  for (let after = from; after < to; after += entriesPerBatch) {
    for (const { seq, at, events } of await eventsOf(after, Math.min(to, after + entriesPerBatch), around)) {
      for (const [index, event] of events.entries()) {
        const isWanted = only === undefined ? matches(sink.on, event.type) : only === index;
        if (!isWanted || (seq === from + 1 && index < delivered)) continue;
        if (place !== undefined && around.now() - begunAt > longestMs) return place;
        try {
          await deliver(event, { sink, seq, index, at }, around);
        } catch (error) {
          // What was delivered before counts: it is not sent again because of this one.
          if (place !== undefined) return place;
          throw error;
        }
        place = { upTo: seq - 1, delivered: index + 1 };
      }
    }
  }
  return { upTo: to };
}

interface Delivery {
  readonly sink: SinkPlan;
  readonly seq: number;
  readonly index: number;
  readonly at: number;
}

async function deliver(
  event: CloudEvent,
  { sink, seq, index, at }: Delivery,
  { ports, now, stream }: Pick<Surroundings, 'ports' | 'now' | 'stream'>,
): Promise<void> {
  const giveUp = (because: string) =>
    bury(
      ports.journal,
      {
        id: `notify/${sink.name}/${event.id}`,
        stream,
        signal: {
          type: 'notifyRequested',
          id: `notify/${sink.name}/${event.id}`,
          sink: sink.name,
          seq,
          index,
          actor: { ...engineActor },
        },
        because: `the sink '${sink.name}' was not told of ${event.type}: ${because}`,
        at: now(),
      },
      engineActor,
    );
  try {
    await ports.notify.deliver(sink, event);
  } catch (error) {
    const fault = asFault(error);
    const isOld = now() - at > longestWaitMs;
    if (fault.code !== 'invalid' && !isOld) throw fault;
    await giveUp(isOld ? `for three days: ${fault.message}` : fault.message);
  }
}

/** The entries `from < seq <= to` that have events, oldest first; ids derive from (stream, seq, index), so receivers can drop repeats. */
async function eventsOf(from: number, to: number, { ports, stream, source }: Reading) {
  const entries = await ports.journal.history(stream, to + 1, to - from);
  return entries.toReversed().map(({ seq, at, events }) => ({
    seq,
    at,
    events: events.map(
      ({ type, subject, data }, index): CloudEvent => ({
        specversion: '1.0',
        id: `${stream}/${seq}/${index}`,
        source,
        type,
        subject,
        time: instant(at),
        datacontenttype: 'application/json',
        data,
      }),
    ),
  }));
}
