/**
 * A machine is a table: one row per state, one cell per signal.
 *
 * A function moves the machine, or refuses. `'ignore'` marks a signal that may come late or twice. A refusal says why
 * the signal cannot be taken here. A cell that is absent refuses as well, without a reason of its own.
 */
export type Table<Machine extends { readonly status: string }, Signals extends { readonly type: string }, Context> = {
  readonly [Status in Machine['status']]: {
    readonly [Type in Signals['type']]?:
      | 'ignore'
      | Refusal
      | ((
          machine: Extract<Machine, { status: Status }>,
          signal: Extract<Signals, { type: Type }>,
          context: Context,
        ) => Machine | Refusal);
  };
};

/** A signal that cannot be used in this state. The sender gets `because`. */
export interface Refusal {
  readonly refused: string;
}

export const refuse = (because: string): Refusal => ({ refused: because });

export type Step<Machine> = { readonly moved: Machine } | { readonly ignored: string } | Refusal;

/** One step of one machine. If a cell answers the same object there is nothing to commit, and the signal is ignored. */
export function step<Machine extends { readonly status: string }, Signals extends { readonly type: string }, Context>(
  table: Table<Machine, Signals, Context>,
  machine: Machine,
  signal: Signals,
  context: Context,
): Step<Machine> {
  const row = table[machine.status as Machine['status']];
  const cell = Object.hasOwn(row, signal.type) ? row[signal.type as Signals['type']] : undefined;
  if (cell === undefined)
    return refuse(`'${signal.type}' cannot be used while ${machine.status}; look at the state and decide again`);
  if (cell === 'ignore') return { ignored: `'${signal.type}' is late or repeated while ${machine.status}` };
  if (typeof cell === 'object') return cell;
  // The row was chosen by the machine's own status and the cell by the signal's own type.
  const move = cell as (machine: Machine, signal: Signals, context: Context) => Machine | Refusal;
  const result = move(machine, signal, context);
  if ('refused' in result) return result;
  return result === machine
    ? { ignored: `'${signal.type}' changes nothing while ${machine.status}` }
    : { moved: result };
}
