import { Fault } from '@serin/core/base/fault';
import { plainOf, type Variables } from '@serin/core/base/variables';
import type { CloudEvent } from '@serin/core/ports/bus';
import type { Notify, SinkPlan } from '@serin/core/ports/notify';
import type { Settings, Sink, SinkRequest, SinkRequests } from '@serin/core/sinks/sink';
import { sinks } from '@serin/core/sinks/sinks';
import { type Answered, post } from './post.ts';

interface Options {
  /** The variables that name a secret, with its text; a missing one throws with how to make it. */
  readonly secrets: (variables: Variables) => Promise<Readonly<Record<string, string>>>;
  readonly now: () => number;
  /** Sends a request; default: over the network, to public addresses only. */
  readonly send?: (request: SinkRequest, allowPrivate: readonly string[]) => Promise<Answered>;
}

/** All requests of one delivery: an answer that comes later begins no other. */
const longestMs = 30_000;

/** The port of sinks. The requests of each kind are pure; everything about sending them is here. */
export function notifier({ secrets, now, send = post }: Options): Notify {
  async function sendAll(requests: SinkRequests, plan: SinkPlan): Promise<void> {
    const until = now() + longestMs;
    let next = usable(plan, () => requests.next());
    while (!next.done) {
      if (now() > until) throw new Fault('unavailable', 'it answers too slowly; check its load and its network');
      const answer = await send(next.value, plan.allowPrivate ?? []);
      const fault = next.value.accepts?.includes(answer.status) ? undefined : faultOf(answer);
      if (fault !== undefined) throw fault;
      next = usable(plan, () => requests.next(answer));
    }
  }

  return {
    async deliver(plan, event) {
      const settings = { ...plainOf(plan.settings), ...(await lookUp(plan, secrets)) };
      try {
        await sendAll(requestsOf(plan, event, settings, now()), plan);
      } catch (error) {
        throw conceal(error, Object.values(settings));
      }
    },
  };
}

/** A secret that is missing waits until somebody makes it: the event can still be delivered. */
async function lookUp({ name, settings }: SinkPlan, secrets: Options['secrets']) {
  try {
    return await secrets(settings);
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    throw new Fault('unavailable', `a secret of the sink '${name}' cannot be read; correct its settings: ${because}`, {
      cause: error,
    });
  }
}

function requestsOf(plan: SinkPlan, event: CloudEvent, settings: Settings, atMs: number): SinkRequests {
  const { kind } = plan;
  const sink: Sink | undefined = Object.hasOwn(sinks, kind) ? sinks[kind as keyof typeof sinks] : undefined;
  if (sink === undefined)
    throw new Fault('unavailable', `this installation has no sink of the kind '${kind}'; update it`);
  const { id, source, type, subject, time, data } = event;
  const found = usable(plan, () => sink.request({ id, source, type, subject, time, data }, settings, atMs));
  return 'next' in found ? found : only(found);
}

function* only(request: SinkRequest): SinkRequests {
  yield request;
}

/** What a sink throws, of its settings or of an answer that it cannot read, waits until somebody mends it. */
function usable<Value>({ name }: SinkPlan, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    throw new Fault('unavailable', `the sink '${name}' cannot be used; correct its settings: ${because}`, {
      cause: error,
    });
  }
}

/**
 * What an answer means. A receiver that refuses the content will refuse it again. Everything else can be mended on
 * either side: the address, the rights, the load.
 */
function faultOf({ status, text, retryAfterMs }: Answered): Fault | undefined {
  if (status >= 200 && status < 300) return undefined;
  const because = `it answered ${status}; check its settings and the receiver${text === '' ? '' : `: ${text}`}`;
  if (status === 429) return new Fault('throttled', because, retryAfterMs === undefined ? {} : { retryAfterMs });
  if (status === 400 || status === 413 || status === 415 || status === 422) return new Fault('invalid', because);
  return new Fault('unavailable', because, retryAfterMs === undefined ? {} : { retryAfterMs });
}

const longestReason = 290;

/** The same fault without the texts of the settings and their parts, because the address of a sink may be its secret. */
function conceal(error: unknown, texts: readonly string[]): Fault {
  const fault =
    error instanceof Fault ? error : new Fault('unavailable', error instanceof Error ? error.message : String(error));
  const said = texts
    .flatMap(partsOf)
    .filter((text) => text.length > 3)
    .toSorted((a, b) => b.length - a.length)
    .reduce((message, text) => message.replaceAll(text, '<setting>'), fault.message);
  const { retryAfterMs } = fault;
  // Cut afterwards: what is left of a text that was cut is not found in it.
  return new Fault(fault.code, said.slice(0, longestReason), retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** What a receiver may repeat of a setting: its keys, or the path of an address with what is a key in it. */
function partsOf(text: string): readonly string[] {
  if (!URL.canParse(text)) return [text, ...text.split(/\s+/)];
  const { href, pathname, search, searchParams, username, password } = new URL(text);
  const keys = [...pathname.split('/'), ...search.split(/[?&=]/)].filter((key) => key.length > 8);
  return [text, href, `${pathname}${search}`, pathname, ...keys, ...searchParams.values(), username, password];
}
