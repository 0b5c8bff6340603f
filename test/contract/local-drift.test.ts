import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompiledConfig } from '@serin/core/config/config';
import { type Server, startServer } from '@serin/local/compose';
import { describe, expect, type TestContext, test } from 'vitest';
import { release } from '../kill/project.ts';
import { put, read } from './trained-project.ts';

/** Numbers in [0, 1) that follow each other without a pattern, the same each time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const colours = ['red', 'green', 'blue'];
/** A row whose number lies in [0, 100), or so much higher. */
const rowOf = (next: () => number, shift: number) => ({
  n: next() * 100 + shift,
  colour: colours[Math.floor(next() * 3)] ?? '',
});

function csv(seed: number, shift: number): string {
  const next = dice(seed);
  const rows = Array.from({ length: 1500 }, () => rowOf(next, shift));
  return `n,colour\n${rows.map(({ n, colour }) => `${n},${colour}\n`).join('')}`;
}

type Given = CompiledConfig['models'][string];

/** The shortest windows that a config may have. */
const judging =
  (changes: Partial<Given>) =>
  (config: CompiledConfig): CompiledConfig => {
    const { judged } = config.models;
    if (judged === undefined) throw new Error('there is no model');
    const capture = { share: '100%', fields: ['n', 'colour'], keep: 86_400_000, atMost: 1e8 };
    const drift = { window: 10_000, notice: 0.03, major: 0.1, quietFor: 365, columns: {} };
    const monitor = { ...judged.monitor, onDrift: 'run' as const, cooldown: 0, capture, drift };
    const data = { ...judged.data, settle: { quiet: 1000, atMost: 10_000 } };
    return { ...config, models: { ...config.models, judged: { ...judged, data, monitor, ...changes } } };
  };

const drop = async (server: Server, seed: number, shift: number): Promise<void> => {
  for (const [index, part] of ['train', 'holdout'].entries())
    await put(server, `/v1/buckets/drops/objects/judged/${part}/rows.csv`, csv(seed + index, shift));
};

interface Document {
  readonly champion?: number;
  readonly run?: { readonly id: string; readonly status: string };
}
const modelOf = async (server: Server): Promise<Document> => (await read(server, '/v1/models/judged')) as Document;

interface Seen {
  readonly sentence: string;
  readonly version: number;
  readonly answers: { readonly compared: boolean; readonly rows: number };
  readonly incident?: { readonly columns: readonly string[]; readonly level: string; readonly clean: number };
  readonly windows: readonly { readonly rows: number; readonly alarms: readonly string[] }[];
}

async function driftWhere(server: Server, holds: (seen: Seen) => boolean): Promise<Seen> {
  for (;;) {
    const seen = (await read(server, '/v1/models/judged/drift')) as unknown as Seen;
    if (holds(seen)) return seen;
    await sleep(50);
  }
}

/** What was announced of drift, of alerts and of who serves, in order. */
const announced = ({ events }: Server): readonly string[] =>
  events
    .read(0, 1000)
    .map(({ event }) => event.type.replace(/^dev\.serin\.|\.v1$/g, ''))
    .filter((type) => /^(drift|alert|rollout\.promoted)/.test(type));

const metricsOf = async ({ url, token }: Server): Promise<string> =>
  (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();

/**
 * A machine whose first version serves, and people who ask it for 80 rows each 200 ms. From then on only drift starts a
 * run. The files that it was trained on are replaced by later ones.
 */
async function serving({ onTestFinished }: TestContext, changes: Partial<Given> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'serin-drift-'));
  const options = { port: 0, version: 'test', settleMs: 50 };
  const server = await startServer({ directory: join(directory, 'data'), ...options });
  await release(server, join(directory, 'executions.txt'), judging({}));
  await drop(server, 1, 0);
  while ((await modelOf(server)).champion !== 1) await sleep(50);
  await release(server, join(directory, 'executions.txt'), judging({ on: { data: false }, ...changes }));
  await drop(server, 11, 60);
  const traffic: { shift: number; answer?: (next: () => number) => number; stopped: boolean } = {
    shift: 0,
    stopped: false,
  };
  const next = dice(99);
  const asking = (async () => {
    while (!traffic.stopped) {
      const { shift, answer } = traffic;
      const instances = Array.from({ length: 80 }, () => ({
        ...rowOf(next, shift),
        ...(answer === undefined ? {} : { answer: answer(next) }),
      }));
      await fetch(`${server.url}/endpoints/judged/invocations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ instances }),
      }).then((response) => response.text());
      await sleep(200);
    }
  })();
  onTestFinished(async () => {
    traffic.stopped = true;
    await asking;
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { server, traffic };
}

describe.concurrent('drift on one machine', () => {
  test('starts a run, whose version mends it: three clean windows against its own data end it', async (context) => {
    const { server, traffic } = await serving(context);
    const before = await modelOf(server);
    const quiet = await driftWhere(server, ({ windows }) => windows.length > 0);

    traffic.shift = 60;
    const open = await driftWhere(server, ({ incident }) => incident !== undefined);
    const metrics = await metricsOf(server);
    const over = await driftWhere(server, ({ version, incident }) => version > 1 && incident === undefined);
    const after = await modelOf(server);

    expect(quiet).toMatchObject({ version: 1, windows: [{ alarms: [] }] });
    expect(quiet.sentence).toMatch(/^no drift from the data of v1: in the last window/);
    expect(open.incident).toMatchObject({ columns: ['n'], level: 'major' });
    expect(metrics).toContain('serin_drift_open{model="judged"} 1');
    expect(metrics).toMatch(/serin_drift_size_ratio\{model="judged"\} 0\.\d/);
    expect([before.champion, after.champion]).toEqual([1, 2]);
    expect(over.sentence).toMatch(/^no drift from the data of v2: in the last window/);
    expect(over.windows.slice(-3).map(({ alarms }) => alarms)).toEqual([[], [], []]);
    expect(announced(server)).toEqual([
      'rollout.promoted',
      'alert.received',
      'drift.detected',
      'rollout.promoted',
      'alert.resolved',
      'drift.resolved',
    ]);
  }, 90_000);

  test('of answers alone is seen against the first answers of the version', async (context) => {
    const { server, traffic } = await serving(context);
    traffic.answer = (next) => next();
    const compared = await driftWhere(server, ({ answers }) => answers.compared);
    const quiet = await driftWhere(server, ({ windows }) => windows.length > compared.windows.length);

    traffic.answer = (next) => next() / 2;
    const open = await driftWhere(server, ({ incident }) => incident !== undefined);

    expect(compared.answers.rows).toBeGreaterThanOrEqual(1000);
    expect(quiet.windows.at(-1)?.alarms).toEqual([]);
    expect(open.incident).toMatchObject({ columns: ['(answers)'], level: 'notice' });
    expect(open.sentence).toMatch(
      /^a change that may be usual: the model's answers drifted from what they were, by 0\.\d\d, since/,
    );
  }, 90_000);

  test('stays open where no version passes the gate, and starts no second run', async (context) => {
    const { server, traffic } = await serving(context, { gate: { score: { direction: 'up', atLeast: 2 } } });

    traffic.shift = 60;
    const open = await driftWhere(server, ({ incident }) => incident !== undefined);
    const last = await driftWhere(server, ({ windows }) => windows.length >= open.windows.length + 2);
    const { champion, run } = await modelOf(server);
    const { runs } = (await read(server, '/v1/runs?model=judged')) as { readonly runs: readonly { trigger: string }[] };

    expect(last).toMatchObject({ version: 1, incident: { columns: ['n'], clean: 0 } });
    expect([champion, run?.status]).toEqual([1, 'refused']);
    expect(runs.map(({ trigger }) => trigger)).toEqual(['drift', 'data']);
  }, 90_000);
});
