import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompiledConfig } from '@serin/core/config/config';
import { type Server, startServer } from '@serin/local/compose';
import { describe, expect, type TestContext, test } from 'vitest';
import { release } from '../kill/project.ts';
import { drop, read } from './trained-project.ts';

type Given = CompiledConfig['models'][string];
type Monitor = Given['monitor'];

/** The shortest windows that a config may have, and labels that take 2 seconds at most. */
const judging =
  (monitor: Partial<Monitor>, changes: Partial<Given> = {}) =>
  (config: CompiledConfig): CompiledConfig => {
    const { judged } = config.models;
    if (judged === undefined) throw new Error('there is no model');
    const performance = { window: 10_000, maturity: 2000, tolerance: 0.02, quietFor: 365 };
    const rules = { ...judged.monitor, cooldown: 0, performance, ...monitor };
    return { ...config, models: { ...config.models, judged: { ...judged, monitor: rules, ...changes } } };
  };

interface Seen {
  readonly sentence: string;
  readonly version: number;
  readonly limit?: number;
  readonly incident?: { readonly version: number; readonly loss: number; readonly limit: number };
  readonly windows: readonly {
    readonly version: number;
    readonly labels: number;
    readonly loss: number;
    readonly limit?: number;
    readonly alarm: boolean;
    readonly errors?: { readonly numbers: number; readonly absolute: number };
    readonly truths?: { readonly mae?: { readonly value: number } };
  }[];
}

async function seenWhere(server: Server, holds: (seen: Seen) => boolean): Promise<Seen> {
  for (;;) {
    const { performance } = (await read(server, '/v1/models/judged/drift')) as { readonly performance?: Seen };
    if (performance !== undefined && holds(performance)) return performance;
    await sleep(50);
  }
}

const championIs = async (server: Server, number: number): Promise<void> => {
  while ((await read(server, '/v1/models/judged')).champion !== number) await sleep(50);
};

const announced = ({ events }: Server): readonly string[] =>
  events
    .read(0, 1000)
    .map(({ event }) => event.type.replace(/^dev\.serin\.|\.v1$/g, ''))
    .filter((type) => /^(performance|alert|rollout\.promoted)/.test(type));

const called = (server: Server, path: string, body: unknown): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

type Told = { readonly wrong: boolean } | { readonly truth: number };

/** A hundred more than what was true. */
const farOff = 100;

/**
 * A machine whose first version serves, and people who ask it and tell soon whether the answer was wrong: every tenth is, and
 * more where `share` of the version that answered says so. Some tell it twice, and some say the opposite later. Where the
 * config has a scale they tell what was true: the number of the version, which is the prediction, or one that is far off.
 */
async function serving({ onTestFinished }: TestContext, monitor: Partial<Monitor>) {
  const directory = mkdtempSync(join(tmpdir(), 'serin-performance-'));
  const server = await startServer({ directory: join(directory, 'data'), port: 0, version: 'test', settleMs: 50 });
  const released = (changes: Partial<Given> = {}) =>
    release(server, join(directory, 'executions.txt'), judging(monitor, changes));
  await released();
  await drop(server, 'first');
  await championIs(server, 1);
  const share: Record<string, number> = {};
  const people = { stopped: false };
  const answers: string[] = [];
  let asked = 0;
  const tells = (wrong: boolean, version: string | undefined): Told =>
    monitor.performance?.scale === undefined ? { wrong } : { truth: Number(version) + (wrong ? farOff : 0) };
  const opposite = (told: Told): Told => ('truth' in told ? { truth: told.truth + 1 } : { wrong: !told.wrong });
  async function ask() {
    const response = await fetch(`${server.url}/endpoints/judged/invocations`, { method: 'POST', body: '{}' });
    const { version } = JSON.parse(await response.text()) as { readonly version?: string };
    const requestId = response.headers.get('x-serin-request-id');
    asked += 1;
    const wrong = (asked % 10) / 10 < (share[String(version)] ?? 0.1);
    const told = tells(wrong, version);
    return response.ok ? { label: { requestId, time: '2026-01-01T00:00:00Z' }, told } : undefined;
  }
  const asking = (async () => {
    while (!people.stopped) {
      const asked = (await Promise.all(Array.from({ length: 12 }, ask))).filter((label) => label !== undefined);
      const labels = asked.map(({ label, told }) => ({ ...label, ...told }));
      const [first, second] = asked;
      if (first === undefined || second === undefined) continue;
      const told = await called(server, '/v1/labels', {
        labels: [...labels, labels[0], { ...second.label, ...opposite(second.told) }],
      });
      const { results } = (await told.json()) as { readonly results: readonly { readonly status: string }[] };
      answers.push(...results.map(({ status }) => status));
      await sleep(200);
    }
  })();
  onTestFinished(async () => {
    people.stopped = true;
    await asking;
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { server, share, released, answers };
}

describe.concurrent('labels that come later, on one machine', () => {
  test('start a run when they say that predictions got worse, and three clean windows of its version end it', async (context) => {
    const { server, share, released, answers } = await serving(context, { onPerformance: 'run' });
    await released({ on: { data: false } });
    await drop(server, 'second');
    const quiet = await seenWhere(server, ({ windows }) => windows.some(({ limit }) => limit !== undefined));

    share['1'] = 0.6;
    const open = await seenWhere(server, ({ incident }) => incident !== undefined);
    const metrics = await (
      await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${server.token}` } })
    ).text();
    await championIs(server, 2);
    const over = await seenWhere(server, ({ version, incident }) => version === 2 && incident === undefined);

    expect(quiet.windows.map(({ alarm }) => alarm)).not.toContain(true);
    expect(quiet.limit).toBeGreaterThan(0.12);
    expect(quiet.limit).toBeLessThan(0.25);
    expect(open.incident).toMatchObject({ version: 1, limit: quiet.limit });
    expect(open.sentence).toMatch(/^v1 is wrong in [\d.]+ % of its predictions by their labels/);
    expect(metrics).toContain('serin_performance_open{model="judged"} 1');
    expect(over.windows.slice(-3).map(({ version, alarm }) => [version, alarm])).toEqual(
      Array.from({ length: 3 }, () => [2, false]),
    );
    expect(answers).toEqual(expect.arrayContaining(['recorded', 'duplicate', 'conflict']));
    expect(announced(server)).toEqual([
      'rollout.promoted',
      'alert.received',
      'performance.lost',
      'rollout.promoted',
      'alert.resolved',
      'performance.recovered',
    ]);
  }, 240_000);

  test('that are numbers take traffic back to the version before, once', async (context) => {
    const rules = { window: 10_000, maturity: 2000, tolerance: 0.02, quietFor: 365 };
    const limit = { ...rules, limit: 0.25, scale: 10, prediction: '/version' };
    const { server, share } = await serving(context, { onPerformance: 'rollback', performance: limit });
    await drop(server, 'second');
    await championIs(server, 2);

    share['2'] = 0.6;
    await championIs(server, 1);
    const back = await seenWhere(server, ({ version }) => version === 1);
    const over = await seenWhere(server, ({ incident }) => incident === undefined);

    expect(back.incident).toMatchObject({ version: 2, limit: 0.25 });
    expect(over.windows.slice(-3).map(({ version }) => version)).toEqual([1, 1, 1]);
    expect(announced(server).filter((type) => type === 'performance.lost')).toHaveLength(1);
    const [last] = over.windows.slice(-1);
    expect(last?.errors?.numbers).toBe(last?.labels);
    // Each wrong one is off by a hundred, and loses 1; all others are right.
    expect(last?.errors?.absolute).toBeCloseTo(farOff * (last?.loss ?? 0) * (last?.labels ?? 0), 6);
    expect(last?.truths?.mae?.value).toBeCloseTo(farOff * (last?.loss ?? 0), 6);
  }, 240_000);
});
