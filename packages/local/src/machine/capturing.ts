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
const smallBytes = 16 * 1024;
/** One core is for requests: reading pauses for so many times as long as it took. */
const restRatios = { small: 9, large: 19 };
const turnMs = 2;
/** Who waited longer holds up the counts of its second. */
const maxWaitMs = 2000;

interface Waiting {
  readonly since: number;
  /** It does not throw. */
  readonly read: () => void;
  readonly giveUp: () => void;
}

export interface Capturing {
  follow(request: IncomingMessage, opening: CaptureOpening): Follower;
  /** Gives up what waits, so that the counts of its seconds are final. */
  close(): void;
}

/** Followers of the requests that are captured: they keep copies, which are read after the caller was answered. */
export function capturing(captures: Captures): Capturing {
  const room = roomOf(maxRoomBytes);
  const limits = { room, maxBytes: maxBodyBytes, onEnd: () => undefined };
  // Apart, so that who sends large ones does not crowd out the others.
  const [small, large] = [newLane(restRatios.small), newLane(restRatios.large)];

  function follow(request: IncomingMessage, opening: CaptureOpening): Follower {
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
        const isPacked = request.headers['content-encoding'] ?? answer.message.headers['content-encoding'];
        const isSmall = isPacked === undefined && bytesOf(asked) + bytesOf(answer.body) <= smallBytes;
        const lane = isSmall ? small : large;
        lane.enqueue({ since: performance.now(), read, giveUp: () => giveUp('busy') });
      },
    };
  }

  return {
    follow,
    close() {
      small.close();
      large.close();
    },
  };
}

interface Lane {
  enqueue(waiting: Waiting): void;
  close(): void;
}

/** Reads one after the other, with rests; what waits too long is given up. */
function newLane(restRatio: number): Lane {
  const queue: Waiting[] = [];
  let isBusy = false;
  let isClosed = false;

  function readNext(): void {
    const begun = performance.now();
    while (performance.now() - begun < turnMs) {
      const next = queue.shift();
      if (next === undefined) break;
      if (begun - next.since > maxWaitMs) next.giveUp();
      else next.read();
    }
    const rested = () => {
      isBusy = false;
      if (queue.length > 0) begin();
    };
    setTimeout(rested, (performance.now() - begun) * restRatio).unref();
  }

  function begin(): void {
    if (isBusy) return;
    isBusy = true;
    // The answer goes out first.
    setImmediate(readNext);
  }

  return {
    enqueue(waiting) {
      if (isClosed) return waiting.giveUp();
      queue.push(waiting);
      begin();
    },
    close() {
      isClosed = true;
      for (const waiting of queue.splice(0)) waiting.giveUp();
    },
  };
}

const bytesOf = (body: BodyCopy): number => body.chunks().reduce((sum, { length }) => sum + length, 0);

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
