import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompiledConfig } from '@serin/core/config/config';
import { type Server, startServer } from '@serin/local/compose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drop, predicted, read, trained } from '../contract/trained-project.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'operations');
const fileOf = (name: string): string => readFileSync(join(folder, name), 'utf8');
const isInstalled = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

const programs = ['prometheus', 'promtool', 'prometheus-alertmanager', 'amtool'];
const missing = programs.filter((program) => !isInstalled(program));
const isRequired = (process.env.SERIN_REQUIRE ?? '').split(',').includes('prometheus');
const why = `not installed: ${missing.join(', ')}; run \`apt-get install prometheus prometheus-alertmanager\``;
const runs = missing.length === 0 || isRequired;

/** What a program says of a text, and whether it is content. */
function said(
  program: string,
  args: readonly string[],
  input = '',
): { readonly isContent: boolean; readonly words: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  return { isContent: status === 0, words: stdout + stderr };
}

// The second version fails now and then, below the limit at which it is taken back in any case.
const serve = `let asked = 0;
require('node:http').createServer((request, response) => {
  request.resume();
  const isBad = request.url !== '/ping' && process.env.SERIN_MODEL_VERSION !== '1' && ++asked % 4 === 0;
  response.writeHead(isBad ? 500 : 200).end();
}).listen(process.env.PORT, '127.0.0.1')`;

function unjudged(config: CompiledConfig): CompiledConfig {
  const { judged, ...others } = config.models;
  if (judged === undefined || judged.serve === 'none') throw new Error('the project has no such model');
  const { rollout } = judged;
  return {
    ...config,
    models: {
      ...others,
      judged: {
        ...judged,
        serve: { ...judged.serve, command: [process.execPath, '-e', serve] },
        rollout: {
          ...rollout,
          bake: 3_600_000,
          atMost: 7_200_000,
          maxHold: 3_600_000,
          guardrails: { ...rollout.guardrails, errors: false },
        },
      },
    },
  } as CompiledConfig;
}

describe.runIf(runs)(`what docs/operations says${missing.length === 0 ? '' : ` [${why}]`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'serin-operations-'));
  const children: ChildProcess[] = [];
  let server: Server;

  beforeAll(async () => {
    if (missing.length > 0) throw new Error(why);
    server = await startServer({ directory: join(directory, 'data'), port: 0, version: 'test', settleMs: 50 });
    await trained(server, directory, unjudged);
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  const metrics = async (accept = '*/*'): Promise<string> => {
    const answer = await fetch(`${server.url}/metrics`, {
      headers: { authorization: `Bearer ${server.token}`, accept },
    });
    return answer.text();
  };
  const families = async (): Promise<ReadonlySet<string>> =>
    new Set([...(await metrics()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));

  /** Names of our metrics in a query, of families as they are declared. */
  const namesIn = (query: string): readonly string[] =>
    [...query.matchAll(/\bserin_\w+/g)]
      .map(([name]) => name.replace(/_(bucket|sum|count)$/, ''))
      .filter((name) => name !== 'serin_hook');

  test('metrics are as promtool wants them', async () => {
    expect(said('promtool', ['check', 'metrics'], await metrics())).toEqual({ isContent: true, words: '' });
  });

  test('rules and configs are valid', () => {
    const place = mkdtempSync(join(directory, 'configs-'));
    for (const name of ['prometheus.yml', 'alerts.yml', 'alertmanager.yml'])
      writeFileSync(join(place, name), fileOf(name));
    for (const name of ['viewer.token', 'operator.token']) writeFileSync(join(place, name), 'token');

    const found = [
      said('promtool', ['check', 'config', join(place, 'prometheus.yml')]),
      said('promtool', ['check', 'rules', join(place, 'alerts.yml')]),
      said('amtool', ['check-config', join(place, 'alertmanager.yml')]),
    ];

    expect(found.filter(({ isContent }) => !isContent)).toEqual([]);
  });

  test('rules ask only for metrics that there are, and each alert is explained', async () => {
    const rules = fileOf('alerts.yml');
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
    const explained = [...fileOf('README.md').matchAll(/^\| `(Serin\w+)`/gm)].map(([, name = '']) => name);
    const known = await families();

    expect(namesIn(rules).filter((name) => !known.has(name))).toEqual([]);
    expect(explained).toEqual(alerts);
  });

  test('the dashboard asks only for metrics that there are, in queries that Prometheus can read', async () => {
    const dashboard = JSON.parse(fileOf('grafana-dashboard.json')) as {
      readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
    };
    const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = queries.map((query, index) => {
      const expr = query.replaceAll('$model', '.*').replaceAll('$__rate_interval', '1m');
      return `  - record: panel:${index}\n    expr: ${JSON.stringify(expr)}\n`;
    });
    const file = join(directory, 'panels.yml');
    writeFileSync(file, `groups:\n- name: panels\n  rules:\n${rules.join('')}`);
    const known = await families();

    expect(queries.length).toBeGreaterThan(15);
    expect(said('promtool', ['check', 'rules', file])).toMatchObject({ isContent: true });
    expect(queries.flatMap(namesIn).filter((name) => !known.has(name))).toEqual([]);
  });

  test('the page names each metric that there is, and no other', async () => {
    const page = fileOf('README.md');
    const rows = page.split('\n').filter((line) => line.startsWith('| `serin_'));
    const named = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`(serin_\w+)`/g)].map(([, name = '']) => name),
    );

    expect(named.sort()).toEqual([...(await families())].sort());
  });

  test('a candidate is taken back when Prometheus sees its errors and Alertmanager tells of them', async () => {
    const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
    const place = mkdtempSync(join(directory, 'running-'));
    // The files as they are, in a hurry and at other addresses.
    const hurried = (name: string) =>
      fileOf(name)
        .replaceAll('127.0.0.1:7373', `127.0.0.1:${server.port}`)
        .replaceAll('127.0.0.1:9093', `127.0.0.1:${alertmanagerPort}`)
        .replace(/((?:scrape|evaluation|group)_interval): \w+/g, '$1: 1s')
        .replace(/group_wait: \w+/, 'group_wait: 0s')
        .replace(/for: \w+/g, 'for: 0s')
        .replaceAll('[5m]', '[10s]');
    for (const name of ['prometheus.yml', 'alerts.yml', 'alertmanager.yml'])
      writeFileSync(join(place, name), hurried(name));
    writeFileSync(join(place, 'viewer.token'), await token(server, 'prometheus', 'viewer'));
    writeFileSync(join(place, 'operator.token'), await token(server, 'alertmanager', 'operator'));
    const begin = (program: string, ...args: readonly string[]) =>
      void children.push(spawn(program, args, { cwd: place, stdio: ['ignore', 'ignore', 'inherit'] }));
    begin(
      'prometheus-alertmanager',
      '--config.file=alertmanager.yml',
      '--storage.path=am',
      '--cluster.listen-address=',
      '--log.level=error',
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    );
    begin(
      'prometheus',
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=tsdb',
      '--log.level=error',
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    );

    await drop(server, 'second');
    const rollout = async () =>
      (await read(server, '/v1/models/judged')).rollout as { readonly id: string; readonly status: string } | undefined;
    const until = Date.now() + 90_000;
    while ((await rollout())?.status !== 'rolledBack' && Date.now() < until) {
      await Promise.all(Array.from({ length: 8 }, () => predicted(server)));
      await sleep(100);
    }

    expect(await read(server, `/v1/rollouts/${(await rollout())?.id}`)).toMatchObject({
      status: 'rolledBack',
      because: expect.stringMatching(/^alert from alertmanager: [\d.]+% of the requests to judged fail/),
    });
    expect(await predicted(server)).toBe(200);
    expect(await metrics()).toContain('serin_alerts_firing{model="judged"} 1\n');
  }, 150_000);
});

async function token({ url, token: admin }: Server, name: string, role: string): Promise<string> {
  const answer = await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json', 'idempotency-key': name },
    body: JSON.stringify({ name, role }),
  });
  const made = (await answer.json()) as { readonly token: string };
  if (!answer.ok) throw new Error(JSON.stringify(made));
  return made.token;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
