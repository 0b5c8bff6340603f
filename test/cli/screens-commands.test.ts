import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileOf, repeat } from '@serin/core/drift/profile.fixture';
import { validateDataset } from '@serin/core/drift/validate';
import { onTestFinished } from 'vitest';
import { askedUntil, judgedDaily, trainingRows } from '../api/drifting.ts';
import { asTheyAre, estimatedWorld, tooSure } from '../api/estimating.ts';
import { labelledWorld } from '../api/judged-labels.ts';
import { keepReport } from '../api/reported.ts';
import { compiled, start } from '../api/world.ts';
import { canaryWorld, commandScreen, screen, screenWorld } from './screens.ts';

const day = 86_400_000;

const commands: Readonly<Record<string, readonly string[]>> = {
  'models-list': ['models', 'list'],
  'models-get': ['models', 'get', 'fraud'],
  'models-history': ['models', 'history', 'fraud'],
  'datasets-list': ['datasets', 'list', 'fraud'],
  'versions-list': ['versions', 'list', 'fraud'],
  'versions-get': ['versions', 'get', 'fraud@2'],
  'rollouts-list': ['rollouts', 'list'],
  why: ['why', 'fraud'],
  'events-list': ['events', 'list'],
  'events-get': ['events', 'get', 'fraud/83/0'],
  'events-get-unknown': ['events', 'get', 'fraud/9999/0'],
  'endpoints-get': ['endpoints', 'get', 'fraud'],
};

for (const [name, words] of Object.entries(commands))
  screen(name, async (width) => commandScreen(await canaryWorld(), width, ...words));

screen('datasets-report', async (width) => {
  const world = await canaryWorld();
  const [before, now] = [profileOf(columnsOf(0, 'dry')), profileOf(columnsOf(120, 'a "b"\n\u001b[31mc'))];
  const report = validateDataset({ profile: now, against: { profile: before }, rules: {}, rowsBefore: [] });
  await keepReport(world, now, report);
  return commandScreen(world, width, 'datasets', 'report', 'fraud');
});

screen('datasets-constraints', async (width) => {
  const world = await canaryWorld();
  const profile = profileOf(columnsOf(20, 'sun'));
  await keepReport(world, profile, validateDataset({ profile, rules: {}, rowsBefore: [] }));
  return commandScreen(world, width, 'datasets', 'constraints', 'fraud');
});

/** A table of the weather, in which the wind was not measured on some days, and the sky is called otherwise on some. */
const columnsOf = (lacking: number, sky: string) => ({
  day: repeat(400, (index) => index * 1000),
  wind: repeat(400, (index) => (index < lacking ? null : index / 100)),
  sky: repeat(400, (index) => (index % 9 === 0 ? sky : index % 2 === 0 ? 'rain' : 'sun')),
});

for (const [name, days] of [
  ['drift-off', 0],
  ['drift-quiet', 1.6],
  ['drift', 4],
] as const)
  screen(name, async (width) => {
    const world = await screenWorld({ traffic: { asking: askedUntil(start + 3 * day) } });
    await world.release(compiled(days === 0 ? {} : judgedDaily));
    await world.drop('fraud/a.csv', trainingRows, day / 2);
    await world.pass(days * day);
    return commandScreen(world, width, 'drift', 'fraud');
  });

for (const [name, bad] of [
  ['labels-good', 0],
  ['labels-worse', 3],
] as const)
  screen(`drift-${name}`, async (width) => {
    const { world, hours } = await labelledWorld(screenWorld);
    await hours(7, 0.05);
    await hours(bad, 0.4);
    return commandScreen(world, width, 'drift', 'fraud');
  });

for (const [name, said, days] of [
  ['estimate', asTheyAre, 4],
  ['estimate-none', tooSure, 1.6],
] as const)
  screen(`drift-${name}`, async (width) => {
    const { world } = await estimatedWorld({ said, turnsAt: start + 3 * day, open: screenWorld });
    await world.pass(days * day);
    return commandScreen(world, width, 'drift', 'fraud');
  });

for (const [name, rules] of [
  ['labels-class', { positive: 'fraud' }],
  ['labels-numbers', { scale: 10 }],
] as const)
  screen(`drift-${name}`, async (width) => {
    const { world, hours } = await labelledWorld(screenWorld, rules);
    await hours(7, 0.05);
    return commandScreen(world, width, 'drift', 'fraud');
  });

screen('runs-get', async (width) => {
  const world = await canaryWorld();
  return commandScreen(world, width, 'runs', 'get', (await world.model()).run.id.slice(0, 20));
});

screen('rollouts-get', async (width) => {
  const world = await canaryWorld();
  await world.pass(120_000);
  return commandScreen(world, width, 'rollouts', 'get', (await world.model()).rollout.id.slice(3, 20));
});

screen('tokens-list', async (width) => {
  const world = await canaryWorld();
  await world.token('operator', ['fraud', 'churn']);
  await world.token('admin');
  return commandScreen(world, width, 'tokens', 'list');
});

screen('compare', async (width) => {
  const runs = new Set<string>();
  const world = await canaryWorld({
    auc({ key }) {
      const [run = '', step] = key.split('/');
      if (step === 'evaluate') runs.add(run);
      return step === 'evaluate' && runs.size > 1 ? 0.83 : 0.8;
    },
  });
  await world.pass(120_000);
  return commandScreen(world, width, 'compare', 'fraud@2', 'fraud@1');
});

screen('drop', async (width) => {
  const world = await canaryWorld();
  const file = fileOf('week-48.csv', 'day,amount\n2026-01-04,1\n');
  const first = await commandScreen(world, width, 'drop', 'fraud', file);
  const again = await commandScreen(world, width, 'drop', 'fraud', file);
  return `${first}${again}`.replaceAll(file, 'week-48.csv');
});

screen('drop-cloud', async (width) => {
  const world = await canaryWorld({ platform: 'aws' });
  const file = fileOf("Anna's week.csv", 'day,amount\n');
  return (await commandScreen(world, width, 'drop', 'fraud', file)).replaceAll(/\/\S*serin-drop-\w+/g, '');
});

screen('logs', async (width) => {
  const world = await canaryWorld({
    serverLogs: async (_, start) =>
      'from' in start ? { text: '', next: start.from } : { text: 'listening on 7001\n\u001b[2Jready\n', next: 32 },
  });
  return commandScreen(world, width, 'logs', 'fraud@2');
});

screen('logs-cloud', async (width) => {
  const world = await canaryWorld({ serverLogsCommand: (model, deployment) => `acme logs ${model}/${deployment}` });
  return commandScreen(world, width, 'logs', 'fraud');
});

function fileOf(name: string, content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'serin-drop-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, name), content);
  return join(directory, name);
}

screen('rollouts-get-ended', async (width) => {
  const world = await canaryWorld();
  world.failing.set('v2', 0.5);
  await world.pass(40 * 60_000);
  const [row] = (await world.call('GET', '/v1/rollouts?status=rolledBack')).body.rollouts;
  return commandScreen(world, width, 'rollouts', 'get', row.id.slice(0, 15));
});
