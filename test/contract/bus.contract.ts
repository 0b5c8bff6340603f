import type { Bus, CloudEvent } from '@serin/core/ports/bus';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdapterOf } from './adapters.ts';

export interface OpenBus {
  readonly port: Bus;
  /** What a receiver has got so far, in its order, duplicates dropped by id. */
  received(): Promise<readonly CloudEvent[]>;
  close(): Promise<void>;
}

export function eventOf(seq: number, more: Partial<CloudEvent> = {}): CloudEvent {
  return {
    specversion: '1.0',
    id: `model/fraud/${seq}/0`,
    source: 'https://serin.dev/fraud',
    type: 'dev.serin.run.started.v1',
    subject: 'fraud',
    time: '2026-11-20T19:00:00.000Z',
    datacontenttype: 'application/json',
    data: { seq },
    ...more,
  };
}

/** The promises of `Bus`, over a fresh bus for each case. */
export function busContract(name: AdapterOf<'bus'>, open: () => Promise<OpenBus>): void {
  describe(`bus: ${name}`, () => {
    let opened: OpenBus;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    test('a published event is received as it was', async () => {
      const event = eventOf(1, { data: { note: 'ü "\u0000" 😀', numbers: [1, 0.5], nothing: null } });

      await opened.port.publish([event]);

      expect(await opened.received()).toEqual([event]);
    });

    test('the events of a stream are received in their order', async () => {
      await opened.port.publish([eventOf(1), eventOf(2)]);
      await opened.port.publish([eventOf(3)]);

      expect((await opened.received()).map((event) => event.data)).toEqual([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
    });

    test('an event that is published twice is one event, also within one call and beside new ones', async () => {
      await opened.port.publish([eventOf(1), eventOf(1)]);
      await opened.port.publish([eventOf(1), eventOf(2)]);

      expect((await opened.received()).map((event) => event.id)).toEqual([eventOf(1).id, eventOf(2).id]);
    });

    test('publishers at the same time lose nothing', async () => {
      const calls = Array.from({ length: 30 }, (_, at) => [eventOf(2 * at), eventOf(2 * at + 1)]);

      await Promise.all(calls.map((events) => opened.port.publish(events)));

      const ids = (await opened.received()).map((event) => event.id);
      expect([...ids].sort()).toEqual(
        calls
          .flat()
          .map((event) => event.id)
          .sort(),
      );
      for (const [first, second] of calls)
        expect(ids.indexOf(first?.id ?? '')).toBeLessThan(ids.indexOf(second?.id ?? ''));
    });

    test('publishing nothing is no error', async () => {
      await opened.port.publish([]);

      expect(await opened.received()).toEqual([]);
    });
  });
}
