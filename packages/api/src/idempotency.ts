import { sha256Hex } from '@serin/core/base/json';
import { type Next, rewrite } from '@serin/core/engine/rewrite';
import type { Journal } from '@serin/core/ports/journal';
import { Problem } from './problem.ts';
import type { Caller } from './roles.ts';
import type { Answer } from './route.ts';

/** What is known of a key: a request is under way, or its answer, or (`open`) that it changed nothing. */
interface State {
  readonly schema: 1;
  readonly status: 'begun' | 'done' | 'open';
  readonly at: number;
  /** SHA-256 of method, path and body. */
  readonly fingerprint: string;
  readonly answer?: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  };
}

/** A request that has not answered by then has died with its process: the next one takes over. */
const abandonedAfterMs = 60_000;

interface Request {
  readonly caller: Pick<Caller, 'token' | 'actor'>;
  readonly key: string;
  readonly fingerprint: string;
  /** Fields that a repeated request does not get again, and that are kept nowhere. */
  readonly shownOnce: readonly string[];
}

/** The stream of a key: keys of different tokens never meet, also where one got the name of another; so the scope is the same. */
const streamOf = ({ caller, key }: Request): string => `idem/${sha256Hex(JSON.stringify([caller.token, key]))}`;

/** The id of the signal that a request under this key sends, so that a request which is taken over is known to the core. */
export const signalIdOf = (token: string, key: string): string =>
  `idem_${sha256Hex(JSON.stringify([token, key])).slice(0, 32)}`;

/**
 * Answers a request once per key: the same key and body get the stored answer; another body is a 422; while the first is
 * under way a 409. Only answers of success are kept: what was refused changed nothing and may be tried again.
 */
export async function once(
  request: Request,
  around: { readonly journal: Journal; readonly now: () => number; readonly aloneSince?: number | undefined },
  perform: () => Promise<Answer>,
): Promise<Answer> {
  const { journal, now, aloneSince = 0 } = around;
  const stream = streamOf(request);
  const written = (change: Pick<State, 'status' | 'answer'>): Next => {
    const state = { schema: 1, at: now(), fingerprint: request.fingerprint, ...change };
    const signal = { type: change.status };
    return { at: now(), actor: request.caller.actor, signal, state: JSON.parse(JSON.stringify(state)) };
  };
  let answered: Answer | undefined;
  const begun = await rewrite<State>(journal, stream, (known) => {
    answered = known && answerKnown(known, request, Math.max(aloneSince, now() - abandonedAfterMs));
    return answered === undefined ? written({ status: 'begun' }) : undefined;
  });
  if (answered !== undefined) return answered;

  // A request that was taken over meanwhile leaves the key to whoever took it.
  const end = (change: Pick<State, 'status' | 'answer'>): Promise<unknown> =>
    rewrite(journal, stream, (_, head) => (head?.seq === begun?.entry.seq ? written(change) : undefined)).catch(
      () => undefined,
    );
  const answer = await perform().catch(async (error: unknown) => {
    await end({ status: 'open' });
    throw error;
  });
  // Should this not be written, a repeated request performs again, and the core knows the signal by its id.
  await end({ status: 'done', answer: kept(answer, request.shownOnce) });
  return answer;
}

/** `deadBefore`: whoever began a request before that time has ended. */
function answerKnown(known: State, { fingerprint }: Request, deadBefore: number): Answer | undefined {
  if (known.status === 'open') return undefined;
  if (known.fingerprint !== fingerprint)
    throw new Problem('invalid', 'this idempotency key was used for another request; use a new one');
  if (known.status === 'done' && known.answer !== undefined) {
    const { body, ...answer } = known.answer;
    const headers = { ...answer.headers, 'idempotent-replayed': 'true' };
    return { ...answer, headers, ...(body === undefined ? {} : { body: JSON.parse(body) }) };
  }
  if (known.at > deadBefore) throw underWay();
  return undefined;
}

const underWay = (): Problem =>
  new Problem('inProgress', 'a request with this idempotency key is still running; send it again later', {
    headers: { 'retry-after': '1' },
  });

function kept({ status, headers = {}, body }: Answer, shownOnce: readonly string[]): NonNullable<State['answer']> {
  if (body === undefined) return { status, headers };
  // As text: a state of the journal holds no `null`, an answer may.
  return {
    status,
    headers,
    body: JSON.stringify(body, (name, value) => (shownOnce.includes(name) ? undefined : value)),
  };
}
