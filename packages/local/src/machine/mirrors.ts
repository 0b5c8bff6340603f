import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Fault } from '@serin/core/base/fault';
import { forwardedHeaders, isStream, withoutLength } from './hop-headers.ts';
import type { Sending } from './inference/translate.ts';
import type { Upstream } from './model-server.ts';
import type { Pool } from './model-servers.ts';
import type { Side } from './pairs.ts';
import { readPrediction } from './prediction.ts';

const maxWaiting = 64;
const maxInFlight = 8;
/** A copy that waited this share of the timeout is dropped: a mirror that hangs would keep its seconds open for minutes. */
const maxWaitShare = 1 / 6;
/** Of an answer, which nobody gets. */
const maxAnswerBytes = 256 * 1024;

/** A request that is to be sent once more, to a deployment whose answer goes to nobody. */
export interface Copy extends Sending {
  readonly pool: Pool | undefined;
  readonly requestId: string;
  /** What this process gets instead; absent: what there is. Rejects when nothing can be put to it. */
  readonly as?: ((upstream: Upstream, body: readonly Buffer[]) => Promise<Sending>) | undefined;
  /** How long the mirror may go without sending a byte; an answer that lasts longer than that has been heard by then. */
  readonly timeoutMs: number;
  /** Where the prediction is in the answer. */
  readonly pointer: string | undefined;
  /** How it ended, exactly once; `undefined`: the gateway closes, so nothing is known. */
  readonly done: (side: Side | undefined) => void;
}

export interface Mirrors {
  /** Sends a copy when its turn comes; each mirror (by any name) has a queue of its own. */
  send(mirror: string, copy: Copy): void;
  /** Gives up all copies, and every later one. */
  close(): void;
}

interface Lane {
  readonly waiting: { readonly copy: Copy; readonly since: number }[];
  inFlight: number;
}

/** Queues of copies: 8 at once to each mirror, 64 waiting; what comes to a full queue is dropped at once. */
export function mirrors(): Mirrors {
  const lanes = new Map<string, Lane>();
  const running = new Set<() => void>();
  let isClosed = false;

  function next(mirror: string, lane: Lane): void {
    while (lane.inFlight < maxInFlight) {
      const job = lane.waiting.shift();
      if (job === undefined) break;
      if (performance.now() - job.since > job.copy.timeoutMs * maxWaitShare) job.copy.done({ outcome: 'dropped' });
      else start(mirror, lane, job.copy);
    }
    if (lane.inFlight === 0) lanes.delete(mirror);
  }

  function start(mirror: string, lane: Lane, copy: Copy): void {
    const upstream = copy.pool?.take();
    if (upstream === undefined) {
      copy.done({ outcome: 'failed' });
      return;
    }
    lane.inFlight += 1;
    const done = (side: Side | undefined) => {
      running.delete(cancel);
      copy.pool?.release();
      lane.inFlight -= 1;
      copy.done(side);
      if (!isClosed) next(mirror, lane);
    };
    let cancel = () => {};
    const put = (sent: Sending) => {
      cancel = exchange({ ...copy, ...sent }, upstream, done);
      running.add(cancel);
    };
    if (copy.as === undefined) put(copy);
    else
      copy.as(upstream, copy.body).then(
        (sent) => (isClosed ? done(undefined) : put(sent)),
        // A request that cannot be put to this process says nothing about the process.
        (error) => done(isClosed || error instanceof Fault ? undefined : { outcome: 'failed' }),
      );
  }

  return {
    send(mirror, copy) {
      if (isClosed) return copy.done(undefined);
      const lane = lanes.get(mirror) ?? { waiting: [], inFlight: 0 };
      if (lane.waiting.length >= maxWaiting) return copy.done({ outcome: 'dropped' });
      lanes.set(mirror, lane);
      lane.waiting.push({ copy, since: performance.now() });
      next(mirror, lane);
    },
    close() {
      isClosed = true;
      for (const { waiting } of lanes.values()) for (const { copy } of waiting.splice(0)) copy.done(undefined);
      for (const cancel of [...running]) cancel();
    },
  };
}

/** Sends one copy; `done` is called once, and never before this returned. The answer is a function that gives it up. */
function exchange(copy: Copy, upstream: Upstream, done: (side: Side | undefined) => void): () => void {
  const begun = performance.now();
  let isDone = false;
  const call = httpRequest({
    agent: upstream.agent,
    host: '127.0.0.1',
    port: upstream.port,
    method: 'POST',
    path: copy.path,
    headers: copiedHeaders(copy, upstream.port),
  });
  const timer = setTimeout(() => stop({ outcome: 'failed' }), copy.timeoutMs);

  function finish(side: Side | undefined): void {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    done(side);
  }
  /** Without the rest of the answer. */
  function stop(side: Side | undefined): void {
    finish(side);
    call.destroy();
  }

  function read(answer: IncomingMessage): void {
    upstream.heard();
    timer.refresh();
    const outcome = (answer.statusCode ?? 502) >= 500 ? 'failed' : 'answered';
    const prediction = readPrediction(answer, copy.pointer);
    const streams = isStream(answer.headers['content-type']);
    let bytes = 0;
    let cameAt: number | undefined;
    answer.on('data', (chunk: Buffer) => {
      if (streams) cameAt ??= performance.now();
      bytes += chunk.length;
      timer.refresh();
      if (bytes > maxAnswerBytes || performance.now() - begun > copy.timeoutMs) stop({ outcome });
    });
    answer.on('end', () => {
      const latencyMs = (cameAt ?? performance.now()) - begun;
      const value = prediction();
      finish({ outcome, latencyMs, ...(value === undefined ? {} : { prediction: value }) });
    });
    answer.on('error', () => finish({ outcome: 'failed' }));
  }

  call.on('response', read);
  call.on('upgrade', (_, socket) => {
    socket.destroy();
    finish({ outcome: 'failed' });
  });
  call.on('error', () => finish({ outcome: 'failed' }));
  for (const chunk of copy.body) call.write(chunk);
  call.end();
  return () => stop(undefined);
}

/** Those of the request, its length as it came, and a mark by which a model can tell a copy. */
function copiedHeaders({ rawHeaders, requestId, body }: Copy, port: number): string[] {
  const headers = forwardedHeaders(rawHeaders, `127.0.0.1:${port}`, requestId);
  const bytes = body.reduce((sum, chunk) => sum + chunk.length, 0);
  return [...withoutLength(headers), 'content-length', String(bytes), 'x-serin-mirror', 'true'];
}
