import { canaryWorld, commandScreen, screen } from './screens.ts';

screen('status', async (width) => commandScreen(await canaryWorld(), width, 'status'));
screen('runs-list', async (width) => commandScreen(await canaryWorld(), width, 'runs', 'list'));
screen('error-no-run', async (width) => commandScreen(await canaryWorld(), width, 'runs', 'get', 'run_00000000'));
screen('error-refused', async (width) =>
  commandScreen(await canaryWorld(), width, 'versions', 'approve', 'fraud', '1', '--yes'),
);
screen('error-option', async (width) =>
  commandScreen(await canaryWorld(), width, 'runs', 'start', 'fraud', '--set', 'epochs'),
);
