import { canaryWorld, commandScreen, screen } from './screens.ts';

const commands: Readonly<Record<string, readonly string[]>> = {
  'models-list': ['models', 'list'],
  'models-get': ['models', 'get', 'fraud'],
  'models-history': ['models', 'history', 'fraud'],
  'datasets-list': ['datasets', 'list', 'fraud'],
  'versions-list': ['versions', 'list', 'fraud'],
  'versions-get': ['versions', 'get', 'fraud@2'],
  'rollouts-list': ['rollouts', 'list'],
  why: ['why', 'fraud'],
};

for (const [name, words] of Object.entries(commands))
  screen(name, async (width) => commandScreen(await canaryWorld(), width, ...words));

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
