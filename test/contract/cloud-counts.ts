import { day, minute } from '@serin/core/base/time';
import type { Telemetry } from '@serin/core/ports/telemetry';
import { describe, expect, test } from 'vitest';

export interface CloudCounts {
  readonly telemetry: Telemetry;
  /** A multiple of an hour when it opens. */
  readonly clock: { now: number };
  /** One request to `e`, answered now. */
  readonly answer: () => void;
}

interface Cloud {
  readonly name: string;
  readonly settleMs: number;
  readonly keptDays: number;
}

/** What telemetry promises that reads the metrics of a cloud, in addition to its contract; `open` gives an empty one. */
export function cloudCounts({ name, settleMs, keptDays }: Cloud, open: () => CloudCounts): void {
  describe(`${name} counts by the minute`, () => {
    const query = (start: number, tickMs: number = minute) => ({
      ...{ endpoint: 'e', from: start, to: start + minute, tickMs, measures: ['errors'] },
    });

    test.each([
      ['half a minute', 30_000],
      ['90 seconds', 90_000],
      ['no time', 0],
    ])('and refuses ticks of %s in words', async (_, tickMs) => {
      const { telemetry, clock } = open();

      await expect(telemetry.ticks(query(clock.now, tickMs))).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('60000'),
      });
    });

    test('and refuses a tick that is forgotten, which is not taken for one without requests', async () => {
      const { telemetry, clock } = open();
      const start = clock.now;
      clock.now += keptDays * day + minute;

      await expect(telemetry.ticks(query(start))).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining(`${keptDays} days`),
      });
    });

    test('and says nothing of users, segments and pairs', async () => {
      const { telemetry, clock, answer } = open();
      const start = clock.now;
      answer();
      clock.now += minute + settleMs;

      const [tick] = await telemetry.ticks({ ...query(start), usersSince: start });

      expect(Object.keys(tick ?? {})).toEqual(['start', 'counts']);
    });
  });
}
