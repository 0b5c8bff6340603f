import { canaryWorld, commandScreen, screen } from './screens.ts';

screen('status', async (width) => commandScreen(await canaryWorld(), width, 'status'));
screen('runs-list', async (width) => commandScreen(await canaryWorld(), width, 'runs', 'list'));
