import { Fault } from '@serin/core/base/fault';
import { isFulfilled, nextOperation } from '@serin/core/model/endpoint/wish';
import type { Deployment, Observation, Serving } from '@serin/core/ports/serving';

type Wish = Parameters<typeof nextOperation>[1];

export const wish = (versions: number[], weights: Record<string, number>, more: Partial<Wish> = {}): Wish => ({
  ...{ versions, weights, extras: 'keep', urgent: false, needs: versions },
  ...more,
});
export const nothing = wish([], {}, { extras: 'retire' });

interface World {
  readonly serving: Serving;
  readonly clock: { now: number };
  readonly deploymentOf: (version: number) => Deployment;
}

/** What the core asks for until the endpoint `e` is as wished, half a minute between two looks. */
export async function walk(
  { serving, clock, deploymentOf }: World,
  desired: Wish,
  of: (version: number) => Deployment = (version) => deploymentOf(version),
  limit = 400,
): Promise<Observation | 'absent'> {
  for (let steps = 0; steps < limit; steps++) {
    const seen = await serving.observe('e');
    if (isFulfilled(seen, desired)) return seen;
    const isBusy = seen !== 'absent' && seen.busy;
    const operation = isBusy ? undefined : nextOperation(seen, desired, of);
    if (operation !== undefined) await serving.change('e', operation).catch(askedAgain);
    clock.now += 30_000;
  }
  throw new Error(`never as wished: ${JSON.stringify(desired)}`);
}

/** "Later" is asked again, as the engine does. */
function askedAgain(error: unknown): void {
  if (!(error instanceof Fault) || error.retry !== 'later') throw error;
}
