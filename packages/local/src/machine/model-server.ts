import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { asFault } from '@serin/core/base/fault';
import { listenersOf } from './listening.ts';
import { adopt, endMarked, endOrphans, type ServerProcess } from './server-process.ts';

/** What is known of a process across restarts of the server: written before it is started, and again after. */
export interface ServerRecord {
  /** In the environment of the process as `SERIN_SERVER`: finds one that was started but never recorded. */
  readonly mark: string;
  readonly port: number;
  readonly process?: { readonly pid: number; readonly born: string };
  /** It answered `/ping` once: from then on it is started again for ever. */
  readonly wasReady: boolean;
  /** It was given up, and why. */
  readonly failed?: string;
}

export interface ServerState {
  readonly status: 'pending' | 'ready' | 'failed';
  readonly reason?: string;
  /** It has been ready at least once. */
  readonly wasReady: boolean;
}

/** Where requests go: one process, while it is ready. */
export interface Upstream {
  readonly port: number;
  readonly agent: Agent;
  /** It has just sent something: it is alive, though it may be too busy to answer a ping. */
  heard(): void;
}

export interface ModelServer {
  state(): ServerState;
  upstream(): Upstream | undefined;
  /** Resolves when the process of the earlier run was taken back or given up. */
  readonly tookBack: Promise<void>;
  /** Ends the supervision; the process goes on. */
  leave(): Promise<void>;
  /** Ends the supervision and the process. */
  end(): Promise<void>;
}

export interface ServerPlan {
  readonly readyTimeoutMs: number;
  /** Starts a process on a free port and records it; a fault that says "never" fails the server at once. */
  readonly begin: (wasReady: boolean) => Promise<{ readonly process: ServerProcess; readonly port: number }>;
  readonly recorded: ServerRecord | undefined;
  readonly record: (change: { readonly wasReady: true } | { readonly failed: string }) => void;
  readonly logTail: () => string;
  /** How long a request may go without a byte from it: a server that is silent for longer is not at work any more. */
  readonly silenceMs: () => number;
  /** Something that its owner should know, and that stops nothing. */
  readonly warn: (what: string) => void;
  readonly onChange: () => void;
  readonly pace: Pace;
}

/** Milliseconds. */
export interface Pace {
  readonly firstRestartMs: number;
  readonly lastRestartMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  /** A server that has not answered a ping for so long since its start is spoken of. */
  readonly muteMs: number;
  /** Between two pings of a server that is ready. */
  readonly pingMs: number;
}

interface Running {
  readonly process: ServerProcess;
  readonly port: number;
}

interface Ending {
  readonly how: string;
  readonly isFinal: boolean;
  readonly readyMs: number;
}

const pingTimeoutMs = 2000;
const adoptMs = 5000;
/** So many ends in a row without ever being ready are a crash loop. */
const crashLoop = 5;
/** Who ran this long begins again with the shortest wait. */
const stableMs = 10_000;
// Shorter than the keep-alive of common model servers (gunicorn 2 s, uvicorn and Node 5 s), so that no request is
// written to a connection that the server is about to close.
const idleConnectionMs = 1000;

/**
 * One supervised model-server process: started, awaited with `GET /ping`, and started again whenever it ends.
 *
 * One that is not ready within `readyTimeoutMs`, or ends five times in a row without being ready, is `failed` with the
 * end of its log. If it was never ready, it is given up then; else it is tried for ever, with waits that double. One that
 * was ready, and then answers neither pings nor requests for longer than a request may be silent, hangs: it is ended, and
 * started again.
 */
export function modelServer(plan: ServerPlan): ModelServer {
  const stopping = new AbortController();
  const { signal } = stopping;
  const aborted = once(signal, 'abort');
  let state = firstState(plan.recorded);
  let running: Running | undefined;
  let upstream: Upstream | undefined;
  let tookBack = () => {};

  function enter(next: ServerState): void {
    state = next;
    plan.onChange();
  }

  async function live(deadline: number): Promise<Ending> {
    const isAdopted = running !== undefined;
    try {
      running ??= await plan.begin(state.wasReady);
    } catch (error) {
      const fault = asFault(error);
      return { how: fault.message, isFinal: fault.retry === 'never', readyMs: 0 };
    }
    const until = isAdopted ? performance.now() + adoptMs : deadline;
    const mute = setTimeout(sayMute, plan.pace.muteMs, running);
    const isReady = await becomesReady(running, until, signal);
    clearTimeout(mute);
    tookBack();
    if (signal.aborted) return { how: 'the server stops', isFinal: false, readyMs: 0 };
    if (isReady) return untilItEnds(running);
    const isMute = !running.process.hasExited();
    await running.process.end(plan.pace.graceMs);
    const how = isMute ? `GET /ping did not answer 200 within ${plan.readyTimeoutMs} ms` : await running.process.exited;
    return { how, isFinal: false, readyMs: 0 };
  }

  function sayMute({ process, port }: Running): void {
    const elsewhere = listenersOf(process.pid).map((listener) => listener.port);
    const where = elsewhere.length === 0 ? 'it listens on no port' : `it listens on port ${elsewhere.join(', ')}`;
    const what = elsewhere.includes(port) ? 'its GET /ping has not answered 200 yet' : where;
    const reason = `it does not answer on port ${port} (PORT, SAGEMAKER_BIND_TO_PORT): ${what}`;
    enter({ status: 'pending', reason, wasReady: state.wasReady });
  }

  async function untilItEnds(live: Running) {
    const { process, port } = live;
    const since = performance.now();
    let heardAt = since;
    const heard = () => {
      heardAt = performance.now();
    };
    const agent = new Agent({ keepAlive: true, timeout: idleConnectionMs });
    upstream = { port, agent, heard };
    if (!state.wasReady) plan.record({ wasReady: true });
    enter({ status: 'ready', wasReady: true });
    if (listenersOf(process.pid).some((listener) => listener.port === port && !listener.isLoopback))
      plan.warn(
        `it listens on port ${port} for other machines as well, which reach the model past the gateway: bind it to SERIN_BIND_ADDRESS`,
      );
    const hung = hangs(live, heard, () => heardAt);
    const how = await Promise.race([process.exited, hung.then(sayHung), aborted.then(() => 'the server stops')]);
    if (!signal.aborted) {
      upstream = undefined;
      agent.destroy();
      await process.end(plan.pace.graceMs);
    }
    return { how, isFinal: false, readyMs: performance.now() - since };
  }

  /** Resolves when the server has been silent for too long; never when it ends before. */
  async function hangs({ process, port }: Running, heard: () => void, heardAt: () => number): Promise<void> {
    while (!process.hasExited() && !signal.aborted) {
      await sleep(plan.pace.pingMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (await answersPing(port, pingTimeoutMs)) heard();
      // A request that was sent just after the last sign of life has the whole of its time.
      if (performance.now() - heardAt() > plan.silenceMs() + plan.pace.pingMs + pingTimeoutMs) return;
    }
    await new Promise(() => {});
  }

  function sayHung(): string {
    const how = `it answered neither GET /ping nor a request for ${Math.round(plan.silenceMs() / 1000)} s and more`;
    plan.warn(`${how}: it is started again`);
    return how;
  }

  async function supervise(): Promise<void> {
    running = takeBack(plan.recorded);
    if (running === undefined) tookBack();
    let unreadySince = performance.now();
    let ends = 0;
    let waits = 0;
    while (!signal.aborted) {
      const ending = await live((state.wasReady ? performance.now() : unreadySince) + plan.readyTimeoutMs);
      if (signal.aborted) return;
      running = undefined;
      ends = ending.readyMs > 0 ? 0 : ends + 1;
      waits = ending.readyMs > stableMs ? 0 : waits + 1;
      if (ending.readyMs > 0) unreadySince = performance.now();
      const isLate = performance.now() - unreadySince >= plan.readyTimeoutMs;
      const isLost = isLate || ends >= crashLoop || ending.isFinal;
      const reason = [ending.how, plan.logTail()].filter((part) => part !== '').join('; the end of its log:\n');
      if (isLost && !state.wasReady) plan.record({ failed: reason });
      enter({ status: isLost ? 'failed' : 'pending', reason, wasReady: state.wasReady });
      if (isLost && !state.wasReady) return;
      const waitMs = Math.min(plan.pace.firstRestartMs * 2 ** (waits - 1), plan.pace.lastRestartMs);
      await sleep(Math.max(0, waitMs), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** What it is could not be recorded, so the next run of the server could not find it. */
  async function giveUp(error: unknown): Promise<void> {
    upstream = undefined;
    tookBack();
    enter({ status: 'failed', reason: asFault(error).message, wasReady: state.wasReady });
    await running?.process.end(plan.pace.graceMs);
  }

  const tookBackPromise = new Promise<void>((resolve) => {
    tookBack = resolve;
  });
  const supervision = state.status === 'failed' ? Promise.resolve(tookBack()) : supervise().catch(giveUp);

  return {
    state: () => state,
    upstream: () => upstream,
    tookBack: tookBackPromise,
    async leave() {
      stopping.abort();
      await supervision;
    },
    async end() {
      stopping.abort();
      await supervision;
      upstream = undefined;
      await running?.process.end(plan.pace.graceMs);
    },
  };
}

function firstState(recorded: ServerRecord | undefined): ServerState {
  if (recorded?.failed !== undefined) return { status: 'failed', reason: recorded.failed, wasReady: false };
  return { status: 'pending', reason: 'it is starting', wasReady: recorded?.wasReady ?? false };
}

/** The process of an earlier run of the server when it is still there; what is left of one that is not is ended. */
export function takeBack(recorded: ServerRecord | undefined) {
  if (recorded === undefined) return undefined;
  const { process, port, mark } = recorded;
  if (process === undefined) {
    if (mark !== '') endMarked('SERIN_SERVER', mark);
    return undefined;
  }
  const adopted = adopt(process.pid, process.born);
  if (adopted === undefined) endOrphans(process.pid);
  return adopted && { process: adopted, port };
}

async function becomesReady({ process, port }: Running, deadline: number, signal: AbortSignal): Promise<boolean> {
  let waitMs = 20;
  while (!signal.aborted && !process.hasExited()) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    if (await answersPing(port, Math.min(leftMs, pingTimeoutMs))) return !process.hasExited();
    const wait = sleep(Math.min(waitMs, leftMs), undefined, { signal, ref: false }).catch(() => undefined);
    await Promise.race([wait, process.exited]);
    waitMs = Math.min(waitMs * 1.2, 500);
  }
  return false;
}

function answersPing(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(Math.ceil(timeoutMs));
    const request = get({
      host: '127.0.0.1',
      port,
      path: '/ping',
      agent: false,
      signal,
    });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}
