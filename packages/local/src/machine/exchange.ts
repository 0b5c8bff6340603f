import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { errors } from '@serin/core/base/measures';
import type { Routed } from './counters.ts';
import type { Pool } from './model-servers.ts';
import { refuse } from './refusal.ts';

/** How an exchange ended: `failed` is the model's fault; `abandoned`: the caller went away, or sent no whole request. */
export type Outcome = 'answered' | 'failed' | 'abandoned';

/** Hears of one exchange what its counts do not say. It never holds the exchange up, and never throws. */
export interface Follower {
  /** The answer begins: it may be listened to, and is never paused by who listens. */
  answering(answer: IncomingMessage): void;
  /**
   * Exactly once; when the caller was answered, after that. `cameAt`: when the answer was there, of the monotone clock.
   */
  ended(outcome: Outcome, cameAt: number): void;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly endpoint: string;
  readonly deployment: string;
  readonly pool: Pool;
  readonly path: string;
  readonly routed: Routed;
  /** Of the monotone clock, in milliseconds. */
  readonly routedAt: number;
  readonly follower: Follower | undefined;
}

export interface Limits {
  /** How long both the caller and the model may send nothing. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/** The end of one exchange, which comes once, whoever brings it about. */
export interface Ending {
  isOver(): boolean;
  /** A byte came: the silence begins again. */
  heard(): void;
  /** From now on this is what is broken off at an early end. */
  calls(call: ClientRequest): void;
  /** The latency is the time until now. */
  came(): void;
  /** Counts it now, although more of the answer is coming. */
  count(outcome: Outcome): void;
  end(outcome: Outcome): void;
  /** Ends it early: the caller is answered if no head was sent yet, else the connection is cut. */
  stop(blame: 'model' | 'caller', status: number, detail: string): void;
}

/** Begins to wait for the end of an exchange: it is counted, and its model server given back, exactly once. */
export function endingOf(exchange: Exchange, { timeoutMs }: Limits): Ending {
  const { request, response, requestId, deployment, pool, routed, routedAt, follower } = exchange;
  let isOver = false;
  let isCounted = false;
  let call: ClientRequest | undefined;
  let cameAt: number | undefined;
  const timer = setTimeout(onTimeout, timeoutMs);

  function end(outcome: Outcome): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    pool.release();
    count(outcome);
  }

  function count(outcome: Outcome): void {
    if (isCounted) return;
    isCounted = true;
    cameAt ??= performance.now();
    routed.ended(cameAt - routedAt, outcome === 'failed' ? [errors] : []);
    follower?.ended(outcome, cameAt);
  }

  function stop(blame: 'model' | 'caller', status: number, detail: string): void {
    if (isOver) return;
    end(blame === 'model' ? 'failed' : 'abandoned');
    call?.destroy();
    if (response.headersSent) response.destroy();
    else refuse(request, response, { requestId, status, detail, deployment });
  }

  function onTimeout(): void {
    const isSending = !request.complete && call?.writableNeedDrain !== true;
    if (response.writableNeedDrain || isSending)
      stop('caller', 408, `nothing more of the body came for ${timeoutMs} ms`);
    else stop('model', 504, `${deployment} sent nothing for ${timeoutMs} ms; serve.timeout says how long it may`);
  }

  response.on('close', () => {
    if (isOver) return;
    end('abandoned');
    call?.destroy();
  });
  return {
    isOver: () => isOver,
    heard: () => void timer.refresh(),
    calls(made) {
      call = made;
      made.on('upgrade', (_, socket) => {
        socket.destroy();
        stop('model', 502, `${deployment} answered 101 and wants to switch protocols, which nobody asked it for`);
      });
      made.on('error', (error) => stop('model', 502, `the connection to ${deployment} broke: ${error.message}`));
    },
    came() {
      cameAt ??= performance.now();
    },
    count,
    end,
    stop,
  };
}
