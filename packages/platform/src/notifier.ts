import { Fault } from '@serin/core/base/fault';
import { plainOf, type Variables } from '@serin/core/base/variables';
import type { CloudEvent } from '@serin/core/ports/bus';
import type { Notify, SinkPlan } from '@serin/core/ports/notify';
import type { Sink, SinkRequest } from '@serin/core/sinks/sink';
import { sinks } from '@serin/core/sinks/sinks';
import { type Answered, post } from './post.ts';

interface Options {
  /** The variables that name a secret, with its text; a missing one throws with how to make it. */
  readonly secrets: (variables: Variables) => Promise<Readonly<Record<string, string>>>;
  readonly now: () => number;
  /** Sends a request; default: over the network, to public addresses only. */
  readonly send?: (request: SinkRequest, allowPrivate: readonly string[]) => Promise<Answered>;
}

/** The port of sinks. The request of each kind is pure; everything about sending it is here. */
export function notifier({ secrets, now, send = post }: Options): Notify {
  return {
    async deliver(plan, event) {
      const settings = { ...plainOf(plan.settings), ...(await lookUp(plan, secrets)) };
      const request = requestOf(plan, event, settings, now());
      const answer = await send(request, plan.allowPrivate ?? []).catch((error: unknown) => {
        throw conceal(error, Object.values(settings));
      });
      const fault = faultOf(answer);
      if (fault !== undefined) throw conceal(fault, Object.values(settings));
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

function requestOf(
  { name, kind }: SinkPlan,
  event: CloudEvent,
  settings: Readonly<Record<string, string>>,
  atMs: number,
): SinkRequest {
  const sink: Sink | undefined = Object.hasOwn(sinks, kind) ? sinks[kind as keyof typeof sinks] : undefined;
  if (sink === undefined)
    throw new Fault('unavailable', `this installation has no sink of the kind '${kind}'; update it`);
  try {
    const { id, source, type, subject, time, data } = event;
    return sink.request({ id, source, type, subject, time, data }, settings, atMs);
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
