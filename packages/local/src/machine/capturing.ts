import type { IncomingMessage } from 'node:http';
import { decodeAnswer, decodeRequest } from '@serin/platform/payloads';
import { type BodyCopy, copyBody, roomOf } from './body-copy.ts';
import type { Capture, CapturedBody, CaptureOpening, Captures } from './captures.ts';
import type { Follower } from './exchange.ts';
import { invocationOf } from './inference/instances.ts';
import { readRequest } from './inference/request.ts';
import { unpacked } from './prediction.ts';

/** Of a body, also when it is unpacked: reading it may take some milliseconds of the event loop. */
const maxBodyBytes = 256 * 1024;
/** All bodies that are held until they are read. */
const maxRoomBytes = 16 * 1024 * 1024;
/** One core is for requests: reading pauses for so many times as long as it took. */
const restRatio = 9;
const turnMs = 2;
/** Who waited longer holds up the counts of its second. */
const maxWaitMs = 1000;

interface Waiting {
  readonly since: number;
  /** It does not throw. */
  readonly read: () => void;
  readonly giveUp: () => void;
}

/** Followers of the requests that are captured: they keep copies, which are read after the caller was answered. */
export function capturing(captures: Captures): (request: IncomingMessage, opening: CaptureOpening) => Follower {
  const room = roomOf(maxRoomBytes);
  const limits = { room, maxBytes: maxBodyBytes, onEnd: () => undefined };
  const queue: Waiting[] = [];
  let isReading = false;

  function readNext(): void {
    const begun = performance.now();
    while (performance.now() - begun < turnMs) {
      const next = queue.shift();
      if (next === undefined) break;
      if (begun - next.since > maxWaitMs) next.giveUp();
      else next.read();
    }
    isReading = queue.length > 0;
    if (isReading) setTimeout(readNext, (performance.now() - begun) * restRatio).unref();
  }

  function enqueue(waiting: Waiting): void {
    queue.push(waiting);
    if (isReading) return;
    isReading = true;
    // The answer goes out first.
    setImmediate(readNext);
  }

  return function follow(request, opening) {
    const capture = captures.open(opening);
    const asked = copyBody(request, limits);
    let answered: { readonly message: IncomingMessage; readonly body: BodyCopy } | undefined;
    const release = () => {
      asked.giveUp();
      answered?.body.giveUp();
    };
    const giveUp = (why: Parameters<Capture['drop']>[0]) => {
      release();
      capture.drop(why);
    };
    return {
      answering(message) {
        const { statusCode = 0 } = message;
        if (statusCode >= 200 && statusCode < 300) answered = { message, body: copyBody(message, limits) };
      },
      ended(outcome) {
        const answer = answered;
        if (outcome !== 'answered' || answer === undefined) return giveUp('unanswered');
        const read = () => {
          const state = asked.state();
          if (state === 'dropped') return giveUp('busy');
          // The model may answer before it has the whole body.
          if (state === 'coming') return giveUp('unanswered');
          // The caller was answered, so it did not break off.
          if (state === 'spoilt') return giveUp('tooLarge');
          const body = decoded(request, asked, answer, opening.rule.fields);
          release();
          capture.keep(body);
        };
        enqueue({ since: performance.now(), read, giveUp: () => giveUp('busy') });
      },
    };
  };
}

type Answered = { readonly message: IncomingMessage; readonly body: BodyCopy };

function decoded(
  request: IncomingMessage,
  asked: BodyCopy,
  answered: Answered,
  fields: readonly string[],
): CapturedBody {
  const text = requestText(request, asked);
  if (text === undefined) return { unread: 'its bytes are not what its headers say' };
  const read = decodeRequest(text, request.headers['content-type'], fields);
  if ('unread' in read) return read;
  const { headers } = answered.message;
  const answer =
    answered.body.state() === 'whole'
      ? unpacked(Buffer.concat(answered.body.chunks()), headers['content-encoding'], maxBodyBytes)
      : undefined;
  const answers = answer === undefined ? [] : decodeAnswer(answer, headers['content-type'], read.rows.length);
  return { rows: read.rows, answers };
}

/** As text; tensors in bytes become rows, as for a model server that speaks JSON only. */
function requestText({ headers }: IncomingMessage, asked: BodyCopy): string | undefined {
  const body = Buffer.concat(asked.chunks());
  if (headers['inference-header-content-length'] === undefined)
    return unpacked(body, headers['content-encoding'], maxBodyBytes);
  try {
    return invocationOf(readRequest(body, headers, maxBodyBytes));
  } catch {
    return undefined;
  }
}
