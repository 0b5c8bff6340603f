import { asFault } from '@serin/core/base/fault';
import type { Json } from '@serin/core/base/json';
import { bury } from '@serin/core/engine/dead-letters';
import { createEngine, type Engine } from '@serin/core/engine/engine';
import type { Outcome, Signal } from '@serin/core/engine/outcome';
import { engineActor } from '@serin/core/ports/actors';
import type { Actor } from '@serin/core/ports/journal';
import type { Ports } from '@serin/core/ports/ports';
import { type MachineClock, machineClock, type ProcessClock, wallClock } from './clocks.ts';
import { memoryProfiler } from './fakes/profiler.ts';
import type { Process, Sim } from './world.ts';

type Bare<Known> = Known extends unknown ? Omit<Known, 'id' | 'at' | 'actor'> : never;
/** A signal before its receiver has stamped it. */
export type Body = Bare<Signal>;

export interface Message {
  readonly id: string;
  readonly stream: string;
  readonly body: Body;
  readonly actor: Actor;
}

/** A switch that breaks the platform on purpose. */
export interface PlatformBugs {
  readonly acknowledgeBeforeWork?: boolean;
  readonly forgetFaulted?: boolean;
  /** Every engine believes that it is the only one. */
  readonly allAlone?: boolean;
  /** A machine goes by its wall clock, and stands still while that is behind. */
  readonly obeysTheWall?: boolean;
}

export interface Platform {
  /** Puts a message on the queue: it is delivered at least once, to some process, some time. A hint may be lost. */
  send(message: Message, kind: 'signal' | 'hint'): void;
  /** What an HTTP client does: asks again under the same id until it is answered, for half an hour at most. */
  request(stream: string, body: Body, actor: Actor, id: string): Promise<Outcome | undefined>;
  /** The moment at which the clock has something to do. */
  nextTick(earliestDue: number | undefined): { readonly at: number; readonly run: () => void } | undefined;
  readonly waiting: number;
  /** Of one machine. */
  readonly clock: MachineClock | undefined;
  /** Stops a machine and starts it again. */
  restart(downMs: number): void;
}

const profiler = memoryProfiler();
const visibilityMs = 180_000;
const minuteMs = 60_000;

interface Node {
  readonly process: Process;
  readonly clock: ProcessClock;
  engine: Engine;
  ports: Ports;
}

/** Several processes under a queue, an HTTP front and a clock; or one machine that is all of them. */
export function createPlatform(
  sim: Sim,
  portsFor: (process: Process) => Ports,
  one: boolean,
  bugs: PlatformBugs = {},
): Platform {
  const names = one ? ['machine'] : ['worker-1', 'worker-2', 'http', 'clock'];
  let machine: MachineClock | undefined;
  const nodes = names.map((name): Node => {
    const process = sim.process(name);
    if (one) machine = machineClock(sim, process, { obeysTheWall: bugs.obeysTheWall === true });
    const clock = machine ?? wallClock(sim, process);
    const start = (): { engine: Engine; ports: Ports } => {
      const ports = portsFor(process);
      const { life } = process;
      const engine = createEngine({
        ports,
        profiler: async () => profiler,
        now: clock.now,
        self: `${name}#${life}`,
        alone: one || bugs.allAlone === true,
        source: 'sim',
      });
      return { engine, ports };
    };
    const node: Node = { process, clock, ...start() };
    process.restarted.push(() => {
      clock.restart();
      Object.assign(node, start());
    });
    return node;
  });
  const [first] = nodes;
  if (first === undefined) throw new Error('a platform wants a process');
  const nodeOf = (name: string): Node => nodes.find(({ process }) => process.name === name) ?? first;
  const workers = (): readonly Node[] =>
    nodes.filter(({ process }) => process.name !== 'http' && process.name !== 'clock');

  const waiting = new Map<Message, number>();
  let lastTick = Math.floor(sim.now / minuteMs) * minuteMs;

  /** Each delivery is one try; the newest owns the message until its visibility ends. */
  function deliver(message: Message, after: number): void {
    const delivery = (waiting.get(message) ?? 0) + 1;
    waiting.set(message, delivery);
    sim.after(after, () => {
      if (waiting.get(message) !== delivery) return;
      const awake = workers().filter(({ process }) => process.alive && process.frozenUntil <= sim.now);
      const node = awake[sim.random.between(0, Math.max(0, awake.length - 1))];
      if (node === undefined) return deliver(message, 1000);
      sim.after(visibilityMs, () => {
        if (waiting.get(message) === delivery) deliver(message, 0);
      });
      if (bugs.acknowledgeBeforeWork) waiting.delete(message);
      void work(node, message, delivery);
    });
  }

  async function work(node: Node, message: Message, delivery: number): Promise<void> {
    const again = (ms: number): void => {
      if (bugs.forgetFaulted) waiting.delete(message);
      if (waiting.get(message) === delivery) deliver(message, ms);
    };
    const { stream, body, id, actor } = message;
    const signal = { ...body, id, actor, at: node.clock.now() } as Signal;
    try {
      const outcome = await node.engine.handle(stream, signal);
      sim.note(
        `${node.process.name} ${stream} ${body.type} ${outcome.kind}${'because' in outcome ? `: ${outcome.because}` : ''}`,
      );
      if (outcome.kind === 'refused' && !isHint(body)) await deadLetter(node, message, outcome.because);
    } catch (error) {
      const fault = asFault(error);
      sim.note(`${node.process.name} ${stream} ${body.type} fault ${fault.code}: ${fault.message}`);
      if (fault.code === 'defect')
        sim.fail(
          'defect',
          `${stream} ${body.type}: ${fault.message}\n${String((fault.cause as Error | undefined)?.stack)}`,
        );
      if (fault.retry !== 'never')
        return again(fault.retry === 'now' ? sim.random.between(100, 2000) : sim.random.between(1000, 30_000));
      try {
        await deadLetter(node, message, fault.message);
      } catch {
        return again(10_000);
      }
    }
    if (!sim.random.chance(sim.faults.unacknowledged)) waiting.delete(message);
  }

  const deadLetter = (node: Node, { id, stream, body }: Message, because: string): Promise<void> =>
    bury(node.ports.journal, { id, stream, signal: body as unknown as Json, because, at: sim.now }, engineActor);

  const platform: Platform = {
    clock: machine,
    restart: (downMs) => sim.restart(first.process, downMs),
    get waiting() {
      return waiting.size;
    },
    send(message, kind) {
      if (kind === 'hint' && sim.random.chance(sim.faults.lost)) return sim.note(`${message.body.type} is lost`);
      const wait = (): number => {
        const ms = sim.random.chance(0.1) ? sim.random.between(2000, 60_000) : sim.random.between(1, 800);
        return sim.random.chance(0.5) ? Math.ceil((sim.now + ms) / 500) * 500 - sim.now : ms;
      };
      deliver(message, wait());
      if (sim.random.chance(sim.faults.repeat)) deliver({ ...message }, wait() * sim.random.between(1, 60));
    },
    async request(stream, body, actor, id) {
      for (let tries = 0; tries < 60; tries += 1) {
        const node = nodeOf('http');
        const signal = { ...body, id, actor, at: node.clock.now() } as Signal;
        const outcome = await within(sim, 30_000, node.process.alive ? node.engine.receive(stream, signal) : undefined);
        if (outcome !== undefined) {
          sim.note(`http ${stream} ${body.type} ${outcome.kind}${'because' in outcome ? `: ${outcome.because}` : ''}`);
          const nudge = { id: `${id}/nudge`, stream, body: { type: 'clockTicked' } as const, actor: engineActor };
          platform.send(nudge, 'hint');
          return outcome;
        }
        await new Promise<void>((resolve) => sim.after(2000, resolve));
      }
      return undefined;
    },
    nextTick(earliestDue) {
      if (earliestDue === undefined) return undefined;
      const due = earliestDue + sim.now - (machine?.now() ?? sim.now);
      const at = Math.max(lastTick + minuteMs, Math.ceil(due / minuteMs) * minuteMs);
      return { at, run: () => void tick(at) };
    },
  };

  /** The clock handles nothing: it pages through what is due and queues it. */
  async function tick(at: number): Promise<void> {
    lastTick = at;
    const { clock, ports } = nodeOf('clock');
    try {
      let cursor: string | undefined;
      do {
        const page = await ports.journal.due(clock.now(), cursor);
        for (const { stream } of page.items)
          platform.send(
            { id: `clock/${stream}/${at}`, stream, body: { type: 'clockTicked' }, actor: engineActor },
            'hint',
          );
        cursor = page.next;
      } while (cursor !== undefined);
    } catch {
      // The next minute reads the same rows.
    }
  }

  return platform;
}

const hints = new Set(['dataHinted', 'labelsHinted', 'jobHinted', 'endpointHinted', 'clockTicked']);
const isHint = ({ type }: Body): boolean => hints.has(type);

/** The answer, or `undefined` when it did not come in time or was a fault. */
function within<Result>(sim: Sim, ms: number, answer: Promise<Result> | undefined): Promise<Result | undefined> {
  return new Promise((resolve) => {
    sim.after(answer === undefined ? 1 : ms, () => resolve(undefined));
    answer?.then(resolve, () => resolve(undefined));
  });
}
