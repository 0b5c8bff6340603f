import { Fault } from './fault.ts';

/** The schema that this code writes. */
export const schema = 1;

/** From each older schema to the next one. */
const upgrades: Readonly<
  Record<number, (state: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>>
> = {};

/**
 * A stored state, in the form that this code knows.
 *
 * A state that newer code wrote is `unavailable`: the signal goes back to its queue until this code is replaced, and
 * never to the dead letters.
 */
export function upgrade(stored: unknown): unknown {
  let state = stored as Readonly<Record<string, unknown>>;
  for (let version = Number(state.schema ?? 0); version !== schema; version += 1) {
    if (version > schema)
      throw new Fault(
        'unavailable',
        `the state was written by newer code (schema ${version}, this is ${schema}): update this installation`,
      );
    const next = upgrades[version];
    if (next === undefined) throw new Fault('defect', `no upgrade from schema ${version}`);
    state = next(state);
  }
  return state;
}
