import { directCalls } from '@serin/core/judge/direct';
import { admit, isMisrouted, type Routing } from '@serin/core/judge/routing';
import { forgiven, independent, newWeather } from '@serin/core/judge/weather';
import { expect, test } from 'vitest';
import { random as randomOf } from './random.ts';
import { besideIn, isOff, type Shared, saidBy } from './routed.ts';
import { pardoned } from './weather.ts';

const minute = 60_000;
const rest = { candidate: 0, champion: 0, candidateAlone: 0, championAlone: 0 };

/** Numbers that fit the weight, or do not: gaps, direct calls, another share, nothing at all. */
test.each([60, 600, 6000])('with about %d requests a tick it says of their numbers what the core says', (perTick) => {
  const random = randomOf(perTick);
  let [known, shared, weight, from]: [Routing | undefined, Shared | undefined, number, number] = [
    undefined,
    undefined,
    5,
    0,
  ];
  const seen = { off: 0, beside: 0, pardons: 0, against: 0 };

  for (let index = 0; index < 1500; index += 1) {
    if (index % 50 === 0) [weight, from] = [random.pick([5, 25, 50, 95]), index * minute];
    const kind = Math.floor(index / 50) % 5;
    const share = kind === 1 ? Math.min(0.99, (weight / 100) * 1.3) : weight / 100;
    const all = Math.round(perTick * (0.5 + random.next()));
    const ours = Math.round(all * Math.min(1, Math.max(0, share + (random.next() - 0.5) * 0.1)));
    const isGap = kind === 2 && random.next() < 0.3;
    const split = {
      candidate: isGap ? 0 : ours + (kind === 3 ? 6 : 0),
      champion: random.next() < 0.02 ? 0 : all - ours + (kind === 4 ? 6 : 0),
    };
    const tick = { start: index * minute, tickMs: minute };

    const core = admit(known, split, { ...tick, share: weight / 100, period: from, unit: 'request' });
    const { candidate, champion } = split;
    const own = saidBy(shared, { ...tick, ours: candidate, theirs: champion, weight, from, isOfUsers: false });

    [known, shared] = [core.routing, own.shared];
    expect([own.isFor, own.against === undefined]).toEqual([core.isFor, core.against === undefined]);
    expect(own.against ?? 0).toBeCloseTo(core.against ?? 0, 9);
    expect(own.inFavour).toBeCloseTo(core.inFavour, 9);
    expect(own.shared.outMs).toBeCloseTo(core.routing.strayMs, 3);
    expect([own.shared.pardons, isOff(own.shared)]).toEqual([core.routing.forgiven ?? 0, isMisrouted(core.routing)]);
    const cell = { ...rest, candidateRequests: candidate, championRequests: champion };
    expect(champion * besideIn(own.shared, weight)).toBeCloseTo(directCalls(cell, core.routing, weight), 6);
    seen.off += isOff(own.shared) ? 1 : 0;
    seen.beside += besideIn(own.shared, weight) > 0 ? 1 : 0;
    seen.pardons = own.shared.pardons;
    seen.against += (core.against ?? 0) > weight / 100 ? 1 : 0;
  }

  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
});

test('what is forgiven is cut as the core cuts it', () => {
  const climate = { ...independent, later: 0.1 };
  const logs = (from: number) => [0, 1, 2, 3, 4, 5, 6].map((step) => from + step);
  const core = { ...newWeather(climate, 50), changes: 2, harm: logs(-3), since: logs(-5), safe: logs(-2).slice(2) };
  const own = { start: logs(-3), safe: logs(-2).slice(2), later: { kept: 0.025, logs: logs(-5) } };
  const never = { rows: [], usual: undefined, noise: { sum: 0, weight: 1 }, came: [], won: [], weight: 50 };

  const [cut, { start, safe, later }] = [forgiven(core, climate), pardoned({ ...never, ...own })];

  expect([start, safe]).toEqual([cut.harm, cut.safe]);
  for (const [index, log] of (later.logs ?? []).entries()) expect(log).toBeCloseTo(cut.since?.[index] ?? 0, 12);
  expect(Math.max(...start, ...safe)).toBe(0);
});
