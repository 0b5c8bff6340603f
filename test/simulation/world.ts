import { Fault } from '@serin/core/base/fault';
import type { Operation } from '@serin/core/ports/serving';
import { heap } from './heap.ts';
import { type Random, random } from './random.ts';

/** How hostile a schedule is: probabilities per port call unless said otherwise. */
export interface Faults {
  readonly crash: number;
  readonly throttled: number;
  /** Rejected now, applied later. */
  readonly late: number;
  /** Applied, and the caller sees an error. */
  readonly unsure: number;
  /** The process stops running for minutes, then goes on as if nothing had happened. */
  readonly freeze: number;
  /** Per message: delivered twice, lost before it is acknowledged, lost altogether (hints only). */
  readonly repeat: number;
  readonly unacknowledged: number;
  readonly lost: number;
  /** Clocks are off by at most this. */
  readonly skewMs: number;
}

export const noFaults: Faults = {
  crash: 0,
  throttled: 0,
  late: 0,
  unsure: 0,
  freeze: 0,
  repeat: 0,
  unacknowledged: 0,
  lost: 0,
  skewMs: 0,
};

/** A broken promise of the product, or of the simulation itself. */
export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`invariant ${invariant}: ${message}`);
    this.name = 'Violation';
    this.invariant = invariant;
  }
}

/** Something that runs the engine, and may die. */
export interface Process {
  readonly name: string;
  /** Grows with each restart. */
  life: number;
  alive: boolean;
  skew: number;
  frozenUntil: number;
  readonly restarted: (() => void)[];
}

/** Where exactly one process is to die: at this call, before or after it is applied. */
export interface CrashPoint {
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** A port call that was made and not answered yet. */
export interface InFlight {
  readonly name: string;
  readonly process: string;
  readonly issuedAt: number;
  readonly about: About | undefined;
}

export interface About {
  readonly endpoint?: string;
  readonly operation?: Operation;
  /** What its caller gave up lands within this time, or never. */
  readonly landsWithinMs?: number;
  /** Its process may stop running for so long behind it. */
  readonly freezesForMs?: number;
}

export interface Sim {
  readonly seed: number;
  readonly random: Random;
  readonly faults: Faults;
  readonly trace: readonly string[];
  readonly inFlight: ReadonlySet<InFlight>;
  readonly calls: number;
  readonly now: number;
  /** What is applied right now was given up by its caller. */
  readonly lands: boolean;
  /** From now on nothing fails any more. */
  calm(): void;
  note(text: string): void;
  /** Breaks off the run. */
  fail(invariant: string, message: string): void;
  /** A check outside of a call: what it throws breaks off the run, and never reaches the core. */
  check(look: () => void): void;
  after(ms: number, run: () => void): void;
  /** The one choke point of every port method: when it is applied, and whether its caller ever hears of it. */
  call<Result>(process: Process, name: string, apply: () => Result, about?: About): Promise<Result>;
  process(name: string): Process;
  /** Somebody stops a process and starts it again. */
  restart(process: Process, downMs: number): void;
  /** Runs until `done`, or until the virtual time; answers whether `done` came. `extra` may offer an earlier moment. */
  run(
    until: number,
    done: () => boolean,
    extra: () => { readonly at: number; readonly run: () => void } | undefined,
  ): Promise<boolean>;
}

interface Item {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** An adapter cuts a call off after this. */
const cutOffMs = 20_000;
export const beginning = Date.UTC(2026, 0, 5, 8);
const mostCrashes = 8;

export function createSim(seed: number, given: Faults, crashAt?: CrashPoint): Sim {
  const dice = random(seed);
  const queue = heap<Item>();
  const trace: string[] = [];
  const inFlight = new Set<InFlight>();
  let [now, order, calls, crashes] = [beginning, 0, 0, 0];
  let faults = given;
  let violation: Violation | undefined;
  let lands = false;

  const at = (time: number, run: () => void): void => queue.push({ at: Math.max(now, time), order: order++, run });
  const note = (text: string): void => {
    trace.push(`${now - beginning} ms  ${text}`);
    if (trace.length > 4000) trace.splice(0, 2000);
  };

  /** Mostly quick; one in ten slow; half of all in bursts, so that calls of different processes meet. */
  function delay(): number {
    const ms = dice.chance(0.1) ? dice.between(500, 12_000) : dice.between(2, 80);
    return dice.chance(0.5) ? Math.ceil((now + ms) / 50) * 50 - now : ms;
  }

  function kill(process: Process): void {
    crashes += 1;
    restart(process, dice.between(200, 60_000));
  }

  function restart(process: Process, downMs: number): void {
    process.alive = false;
    process.life += 1;
    note(`${process.name} dies`);
    at(now + downMs, () => {
      process.alive = true;
      process.frozenUntil = 0;
      process.skew = skew();
      note(`${process.name} is back`);
      for (const tell of process.restarted) tell();
    });
  }

  const skew = (): number => (faults.skewMs === 0 ? 0 : dice.between(-faults.skewMs, faults.skewMs));
  const drawCrash = (): boolean => crashes < mostCrashes && dice.chance(faults.crash / 2);

  function answer(process: Process, life: number, settle: () => void): void {
    if (!process.alive || process.life !== life) return;
    if (process.frozenUntil > now) at(process.frozenUntil, () => answer(process, life, settle));
    else settle();
  }

  return {
    seed,
    random: dice,
    trace,
    inFlight,
    get faults() {
      return faults;
    },
    get calls() {
      return calls;
    },
    get now() {
      return now;
    },
    get lands() {
      return lands;
    },
    calm() {
      faults = { ...noFaults, skewMs: faults.skewMs };
      note('from here on nothing fails');
    },
    note,
    fail(invariant, message) {
      violation ??= new Violation(invariant, message);
    },
    check(look) {
      try {
        look();
      } catch (error) {
        violation ??= error instanceof Violation ? error : new Violation('simulation', String(error));
      }
    },
    after: (ms, run) => at(now + ms, run),
    restart,
    call(process, name, apply, about) {
      const { life } = process;
      if (!process.alive) return new Promise(() => {});
      const call = calls;
      calls += 1;
      const flight: InFlight = { name, process: process.name, issuedAt: now, about };
      inFlight.add(flight);
      const attempt = <Result>(run: () => Result): { readonly value: Result } | { readonly error: unknown } => {
        try {
          return { value: run() };
        } catch (error) {
          if (error instanceof Violation) violation ??= error;
          return { error };
        }
      };
      return new Promise((resolve, reject) => {
        const unavailable = (what: string): void =>
          answer(process, life, () => reject(new Fault('unavailable', `${name} ${what}`)));
        at(now + delay(), () => {
          const end = (what: string): void => {
            inFlight.delete(flight);
            note(`${process.name} ${name} ${what}`);
          };
          const dead = !process.alive || process.life !== life;
          if (dead) {
            // The request had left before the process died, or it had not.
            if (dice.chance(0.5)) attempt(apply);
            return end('(its caller is dead)');
          }
          if (crashAt?.call === call ? crashAt.when === 'before' : drawCrash()) {
            end('is never made');
            return kill(process);
          }
          if (dice.chance(faults.throttled)) {
            end('is throttled');
            return answer(process, life, () =>
              reject(new Fault('throttled', `${name} was throttled: try again later`)),
            );
          }
          if (dice.chance(faults.late)) {
            const latest = about?.landsWithinMs ?? 20 * 60_000;
            const later = dice.chance(0.8) ? dice.between(1000, 60_000) : dice.between(60_000, latest);
            end('times out');
            at(now + later, () => {
              note(`${name} lands late`);
              lands = true;
              attempt(apply);
              lands = false;
            });
            return unavailable('timed out');
          }
          const result = attempt(apply);
          const said =
            'error' in result
              ? `fails: ${result.error instanceof Error ? result.error.message : 'unknown'}`
              : 'is done';
          end(said);
          if (crashAt?.call === call ? crashAt.when === 'after' : drawCrash()) return kill(process);
          if (dice.chance(faults.unsure)) return unavailable('was answered too late');
          if (dice.chance(faults.freeze)) {
            process.frozenUntil = now + dice.between(30_000, about?.freezesForMs ?? 6 * 60_000);
            note(`${process.name} freezes`);
          }
          const wait = dice.chance(0.15) ? dice.between(1, cutOffMs / 4) : 0;
          const settle = (): void =>
            answer(process, life, () => ('error' in result ? reject(result.error) : resolve(result.value)));
          if (wait === 0) settle();
          else at(now + wait, settle);
        });
      });
    },
    process(name) {
      return { name, life: 0, alive: true, skew: skew(), frozenUntil: 0, restarted: [] };
    },
    async run(until, done, extra) {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (violation !== undefined) throw violation;
        if (done()) return true;
        const offered = extra();
        const next = queue.peek();
        const time = Math.min(offered?.at ?? Number.POSITIVE_INFINITY, next?.at ?? Number.POSITIVE_INFINITY);
        if (time > until) {
          now = Math.max(now, until);
          return false;
        }
        now = Math.max(now, time);
        if (offered !== undefined && offered.at <= (next?.at ?? Number.POSITIVE_INFINITY)) offered.run();
        else queue.pop()?.run();
      }
    },
  };
}
