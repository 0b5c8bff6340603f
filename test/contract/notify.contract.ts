import type { CloudEvent } from '@serin/core/ports/bus';
import type { Notify, SinkPlan } from '@serin/core/ports/notify';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AdapterOf } from './adapters.ts';
import { eventOf } from './bus.contract.ts';
import { partsOf } from './parts.ts';

/** What a receiver does with what it is told from now on. */
export type Answer = 'takes it' | 'refuses it for good' | 'is down' | 'is busy' | 'knows no such sender';

export interface OpenNotify {
  readonly port: Notify;
  readonly sink: SinkPlan;
  /** A text of the sink's secrets, which the receiver repeats when it refuses. */
  readonly secret: string;
  answer(answer: Answer): void;
  /** The ids of what the receiver has taken, each as often as it came. */
  taken(): readonly string[];
}

/** The promises of `Notify`, over a fresh receiver for each case. */
export function notifyContract(name: AdapterOf<'notify'>, open: () => Promise<OpenNotify>): void {
  describe(`notify: ${name}`, () => {
    const { concealed } = partsOf('notify', name);
    let opened: OpenNotify;
    beforeEach(async () => {
      opened = await open();
    });
    const deliver = (event: CloudEvent) => opened.port.deliver(opened.sink, event);
    const [first, second] = [eventOf(1), eventOf(2)];

    test('an event that is delivered twice comes twice, under one id', async () => {
      await deliver(first);
      await deliver(first);

      expect(opened.taken()).toEqual([first.id, first.id]);
    });

    test('events that are delivered at the same time come each by itself', async () => {
      const events = Array.from({ length: 10 }, (_, seq) => eventOf(seq));

      await Promise.all(events.map(deliver));

      expect([...opened.taken()].sort()).toEqual(events.map(({ id }) => id).sort());
    });

    test('what the receiver refuses for good is invalid, each time, and keeps no other from it', async () => {
      opened.answer('refuses it for good');
      await expect(deliver(first)).rejects.toMatchObject({ code: 'invalid' });
      await expect(deliver(first)).rejects.toMatchObject({ code: 'invalid' });

      opened.answer('takes it');
      await deliver(second);

      expect(opened.taken()).toEqual([second.id]);
    });

    test.each<Answer>(['is down', 'is busy', 'knows no such sender'])(
      'while the receiver %s an event waits, and comes when that is mended',
      async (answer) => {
        opened.answer(answer);
        await expect(deliver(first)).rejects.toMatchObject({ name: 'Fault', retry: 'later' });

        opened.answer('takes it');
        await deliver(first);

        expect(opened.taken()).toEqual([first.id]);
      },
    );

    concealed('no reason has the text of a secret in it', async () => {
      opened.answer('knows no such sender');

      const { message } = (await deliver(first).catch((error: Error) => error as Error)) ?? {};

      expect(message).toBeDefined();
      expect(message).not.toContain(opened.secret);
    });
  });
}
