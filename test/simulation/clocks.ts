import { steadyClock } from '@serin/core/base/clock';
import type { Process, Sim } from './world.ts';

/** What a process takes for the time. */
export interface ProcessClock {
  now(): number;
  /** The process began anew: its clock as well. */
  restart(): void;
}

/** Of a function: the wall clock of where it runs, off by its skew. */
export const wallClock = (sim: Sim, process: Process): ProcessClock => ({
  now: () => sim.now + process.skew,
  restart() {},
});

/** Of one machine: its wall clock is set now and then, and everything that counts goes by one clock of its own. */
export interface MachineClock extends ProcessClock {
  /** Somebody sets the wall clock, forward or back. */
  set(ms: number): void;
  /** It was never set forward while the machine was down: its spans are those of the world. */
  readonly isEven: boolean;
  /** When it said this time first, by the time of the world. */
  saidAt(stamp: number): number;
}

export function machineClock(
  sim: Sim,
  process: Process,
  { obeysTheWall }: { readonly obeysTheWall: boolean },
): MachineClock {
  let [set, last, isEven] = [0, 0, true];
  const wall = (): number => sim.now + process.skew + set;
  const begin = () => steadyClock({ wall, elapsed: () => sim.now, newest: last });
  let clock = begin();
  const said = new Map<number, number>();
  return {
    now() {
      last = Math.max(last, obeysTheWall ? wall() : clock.now());
      if (!said.has(last)) said.set(last, sim.now);
      return last;
    },
    saidAt: (stamp) => said.get(stamp) ?? sim.now,
    restart() {
      isEven &&= wall() <= last;
      clock = begin();
    },
    set(ms) {
      sim.note(`the wall clock is set by ${ms} ms`);
      set += ms;
    },
    get isEven() {
      return isEven;
    },
  };
}
