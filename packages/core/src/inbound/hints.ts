import { canonical } from '../base/json.ts';
import type { OutsideSignal } from '../model/protocol.ts';
import type { Addressed } from './fact.ts';

/** One signal of several equal ones, and those that it was made of. */
export interface Folded<Each extends Addressed> {
  readonly addressed: Each;
  readonly of: readonly Each[];
}

/**
 * One hint in place of all hints of one kind for one stream, with the keys of all. A signal with an id is kept once.
 * The order does not matter.
 */
export function foldHints<Each extends Addressed>(all: readonly Each[]): readonly Folded<Each>[] {
  const groups = new Map<string, Each[]>();
  for (const each of all) {
    const identity = canonical([each.stream, each.id ?? each.signal.type]);
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, [each]);
    else group.push(each);
  }
  return [...groups]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, of]) =>
      of.slice(0, 1).map((first) => ({ addressed: { ...first, signal: withAllKeys(first.signal, of) }, of })),
    );
}

/** A hint with more keys is no better than a hint without keys. */
const keptKeys = 50;

/** Messages have no order, so there is no last key to keep of too many. Without keys anything may have come. */
function withAllKeys(signal: OutsideSignal, of: readonly Addressed[]): OutsideSignal {
  if (!('keys' in signal)) return signal;
  const each = of.map((other) => ('keys' in other.signal ? other.signal.keys : []));
  const keys = [...new Set(each.flat())].sort();
  const areKnown = keys.length <= keptKeys && each.every((some) => some.length > 0);
  return { ...signal, keys: areKnown ? keys : [] };
}
