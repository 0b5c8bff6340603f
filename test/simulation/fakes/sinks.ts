import type { Fault } from '@serin/core/base/fault';
import type { CloudEvent } from '@serin/core/ports/bus';
import type { Notify } from '@serin/core/ports/notify';
import type { Sync } from './sync.ts';

export interface MemorySinks extends Sync<Notify> {
  /** What a sink that drops repeats by id was told, in its order. */
  told(sink: string): readonly { readonly id: string; readonly at: number }[];
}

/** Receivers outside; `answer` is what one says to an event: nothing, or why it does not take it. */
export function memorySinks({
  now,
  answer,
}: {
  readonly now: () => number;
  readonly answer: (sink: string, event: CloudEvent) => Fault | undefined;
}): MemorySinks {
  const heard = new Map<string, Map<string, number>>();
  return {
    deliver({ name }, event) {
      const refused = answer(name, event);
      if (refused !== undefined) throw refused;
      const known = heard.get(name) ?? new Map<string, number>();
      heard.set(name, known);
      if (!known.has(event.id)) known.set(event.id, now());
    },
    told: (sink) => [...(heard.get(sink) ?? [])].map(([id, at]) => ({ id, at })),
  };
}
