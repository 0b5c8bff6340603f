import type { CompiledConfig } from '@serin/core/config/config';
import type { Invocation } from './invocation.ts';

/** A push that the config lets start a run is refused for as long as its hook has no secret. */
export function missingSecrets({ models }: CompiledConfig, env: Invocation['env']): readonly string[] {
  const ci = Object.values(models).map(({ on }) => on.ci);
  const hooks = [
    { from: 'github', path: '/v1/hooks/github', variable: 'SERIN_GITHUB_SECRET' },
    { from: 'webhook', path: '/v1/hooks/standard', variable: 'SERIN_WEBHOOK_SECRET' },
  ] as const;
  return hooks
    .filter(({ from, variable }) => ci.some((senders) => senders?.[from] !== undefined) && !env[variable])
    .map(({ path, variable }) => `the config takes pushes, and ${path} refuses them: start serin dev with ${variable}`);
}
