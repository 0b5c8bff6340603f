import { expect, test } from 'vitest';
import { logHarm } from '../../judge/judge.ts';
import type { Entry } from '../../ports/journal.ts';
import { type Driver, healthy, planOf, serveTicks } from '../model.fixture.ts';
import { rulesFor } from './evidence.ts';
import { challenge, rolloutOf, until, type World } from './judge.fixture.ts';
import { type EvidenceSeries, seriesReader } from './series.ts';
import { verifyRollout } from './verify.ts';

function seriesOf({ entries }: Pick<Driver, 'entries'>, id: string, most?: number): EvidenceSeries {
  const reader = seriesReader(id, most);
  reader.take(entries);
  const series = reader.series();
  if (series === undefined) throw new Error('there is no series');
  return series;
}

const bad = { perMinute: 6000, failing: { v1: 0.001, v2: 0.03 } };

test('the last point is what the certificate says', () => {
  for (const traffic of [healthy, bad]) {
    const world = challenge();
    const rollout = until(world, traffic, 'promoting', 'reverting');

    const { points, guardrails } = seriesOf(world.drive, rollout.id);

    const { certificate } = rollout;
    const last = points.at(-1);
    expect(last?.at).toBe(certificate?.readTo);
    expect(last?.logE).toBeCloseTo(certificate?.logE ?? Number.NaN, 9);
    for (const { name, logE, streams } of certificate?.guardrails ?? []) {
      expect(last?.guardrails[name]).toBeCloseTo(logE, 9);
      for (const { id, ratio } of streams) expect(last?.streams[id]?.ratio).toEqual(ratio);
    }
    expect(guardrails.map(({ name }) => name)).toEqual(certificate?.guardrails.map(({ name }) => name));
  }
});

test('while a rollout bakes, the series ends with what is known of it', () => {
  const world = challenge();
  const rollout = until(world, healthy, 'baking');
  const baking = until(world, healthy, 'promoting', 'shifting');

  const { points, weights } = seriesOf(world.drive, rollout.id);

  expect(points.at(-1)?.candidate).toEqual(baking.evidence.candidate);
  expect(points.at(-1)?.logE).toBeCloseTo(logHarm(baking.evidence, rulesFor(baking)), 9);
  expect(weights[0]?.weight).toBe(0);
  expect(weights[1]?.weight).toBe(rollout.steps[0]);
});

test('a candidate that was taken back has no weight at the end, and a promoted one has all', () => {
  const lastOf = (world: World) => seriesOf(world.drive, rolloutOf(world).id).weights.at(-1)?.weight;
  const [harmful, harmless] = [challenge(), challenge()];
  until(harmful, bad, 'rolledBack');
  until(harmless, healthy, 'promoted');

  expect([lastOf(harmful), lastOf(harmless)]).toEqual([0, 100]);
});

test('counts and times only grow, and each tick is a point', () => {
  const world = challenge();
  const { id, plan, evidence } = until(world, healthy, 'promoted');

  const { points } = seriesOf(world.drive, id);

  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    if (before === undefined) continue;
    expect((point.at - before.at) % plan.tick).toBe(0);
    expect(point.at).toBeGreaterThan(before.at);
    expect(point.candidate.requests).toBeGreaterThanOrEqual(before.candidate.requests);
  }
  expect(points.length).toBeGreaterThan(4);
  expect(points.at(-1)?.at).toBe(evidence.readTo);
});

test('a long rollout is told by some of its points, with the first and the last', () => {
  const world = challenge();
  const { id } = until(world, healthy, 'promoted');
  const all = seriesOf(world.drive, id).points;

  const few = seriesOf(world.drive, id, 3).points;

  expect(few).toHaveLength(3);
  expect(few.at(-1)).toEqual(all.at(-1));
});

test('a stream that a promotion needs says how safe it is, and others do not', () => {
  const world = challenge(planOf({ rollout: { steps: [10, 50], bake: '5m', guard: '2m', warmUp: 0 } }), 10);
  const { id } = until(world, healthy, 'promoted');

  const { points, lastWeight, beta } = seriesOf(world.drive, id);

  const streams = points.at(-1)?.streams ?? {};
  expect(streams.errors?.logSafe).toBeGreaterThanOrEqual(Math.log(1 / beta));
  expect(streams['latency.p50']).not.toHaveProperty('logSafe');
  expect(points.find(({ weight }) => weight < lastWeight)?.streams.errors?.logSafe).toBe(0);
});

test('the same entries, in parts, come to the same', () => {
  const world = challenge();
  const { id } = until(world, bad, 'rolledBack');
  const { entries } = world.drive;
  const reader = seriesReader(id);

  for (let at = 0; at < entries.length; at += 7) reader.take(entries.slice(at, at + 7));

  expect(reader.series()).toEqual(seriesOf(world.drive, id));
  expect(verifyRollout(entries, id).problems).toEqual([]);
});

test('ticks that were read after the judge had decided are no points', () => {
  const world = challenge();
  until(world, healthy, 'baking');

  world.drive.wait(8 * 60_000);
  serveTicks(world.drive, bad, 1);

  const { status, certificate, id } = rolloutOf(world);
  expect([status, certificate?.verdict]).toEqual(['reverting', 'rollback']);
  expect(seriesOf(world.drive, id).points.at(-1)?.at).toBe(certificate?.readTo);
});

test('a reading that comes again, or is of another rollout, is no point', () => {
  const world = challenge();
  const { id } = until(world, bad, 'rolledBack');
  const { entries } = world.drive;
  const at = entries.findIndex(({ signal }) =>
    String((signal as { key?: string }).key).startsWith(`rollout/${id}/ticks`),
  );
  const read = entries[at] as Entry; // there was one
  const again = { ...read, patch: { rollout: {} } };
  const { signal } = read;
  const foreign = { ...again, signal: { ...(signal as object), key: 'rollout/ro_2/ticks/0' } };

  const repeated = seriesOf({ entries: [...entries.slice(0, at + 1), again, ...entries.slice(at + 1)] }, id);
  const mixed = seriesOf({ entries: [...entries.slice(0, at), foreign, ...entries.slice(at)] }, id);

  expect(repeated).toEqual(seriesOf({ entries }, id));
  expect(mixed).toEqual(seriesOf({ entries }, id));
});

test('a rollout that is not there has no series', () => {
  expect(seriesReader('ro_1').series()).toBeUndefined();
});
