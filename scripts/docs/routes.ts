import { routeTable } from '../../packages/api/src/app.ts';
import type { Route } from '../../packages/api/src/route.ts';

/** Every route, who may call it, and what it answers. No route is called, so nothing stands behind them. */
export function routeBlock(): string {
  const nothing = {} as never;
  const routes = routeTable({
    ports: nothing,
    engine: nothing,
    now: () => 0,
    newId: (prefix) => prefix,
    config: async () => undefined,
    secrets: { github: [], standard: [] },
    version: '0',
    environment: 'docs',
    platform: 'local',
    problemsOf: () => [],
    source: 'docs',
    nudge: () => undefined,
  });
  return ['| route | role | what it does | answers |', '| --- | --- | --- | --- |', ...routes.map(rowOf)].join('\n');
}

function rowOf({ method, path, role, scope, summary, answers }: Route): string {
  const statuses = Object.entries(answers).map(([status, { description }]) => `${status} ${description}`);
  const who = scope === 'project' && role !== 'public' && role !== 'signed' ? `${role}, of all models` : role;
  const cells = [`\`${method.toUpperCase()} ${path}\``, who, summary, statuses.join('; ')];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
