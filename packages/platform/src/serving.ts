import { Fault } from '@serin/core/base/fault';
import type { Mirror, Weights } from '@serin/core/ports/serving';

/** What `weigh` promises of any platform: `invalid` unless the weights and the mirror can be, whatever is deployed. */
export function checkShares(endpoint: string, weights: Weights, mirror: Mirror | undefined): void {
  const values = Object.values(weights);
  const isWhole = values.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= 100);
  const sum = values.reduce((total, weight) => total + weight, 0);
  if (!isWhole || (sum !== 100 && values.length > 0)) {
    const mend = 'use integers from 0 to 100 that sum to 100, or none at all';
    throw new Fault('invalid', `cannot weigh ${endpoint} as ${JSON.stringify(weights)}: ${mend}`);
  }
  if (mirror === undefined) return;
  const { deployment, percent } = mirror;
  if (!Number.isInteger(percent) || percent < 1 || percent > 100)
    throw new Fault('invalid', `cannot mirror ${percent} % of ${endpoint}: use an integer from 1 to 100`);
  if ((weights[deployment] ?? 0) > 0)
    throw new Fault('invalid', `cannot mirror ${endpoint} to ${deployment}: it holds weight; weigh it to 0`);
}
