import type { Bus, CloudEvent } from '@serin/core/ports/bus';
import { copyOf } from './pages.ts';
import type { Sync } from './sync.ts';

export interface MemoryBus extends Sync<Bus> {
  /** What a receiver that drops duplicates by id has got, in its order. */
  received(): readonly CloudEvent[];
}

export function memoryBus(onFirst: (event: CloudEvent) => void = () => {}): MemoryBus {
  const events = new Map<string, CloudEvent>();
  return {
    publish(published) {
      for (const event of published) {
        if (events.has(event.id)) continue;
        events.set(event.id, copyOf(event) as unknown as CloudEvent);
        onFirst(event);
      }
    },
    received: () => [...events.values()],
  };
}
