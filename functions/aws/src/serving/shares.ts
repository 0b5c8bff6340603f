import { Fault } from '@serin/core/base/fault';
import type { Mirror, Weights } from '@serin/core/ports/serving';

/** Throws `invalid` unless the weights and the mirror can be, whatever is deployed. */
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
  // "If you use this field, you can only specify one variant for ProductionVariants and one variant for
  // ShadowProductionVariants" (API reference, CreateEndpointConfig).
  if (Object.values(weights).filter((weight) => weight > 0).length !== 1) {
    const mend = 'SageMaker mirrors the requests of one deployment with all weight; weigh one to 100';
    throw new Fault('invalid', `cannot mirror ${endpoint} to ${deployment} beside ${JSON.stringify(weights)}: ${mend}`);
  }
}

/**
 * Ratios as integers that sum to 100, by the largest remainder; `{}` when all are zero. A name without a share is left
 * out. Integers that sum to 100 come back as they are.
 */
export function percentages(ratios: Readonly<Record<string, number>>): Weights {
  const entries = Object.entries(ratios);
  const total = entries.reduce((sum, [, ratio]) => sum + ratio, 0);
  if (!(total > 0)) return {};
  const exact = entries.map(([name, ratio]) => ({ name, share: (ratio / total) * 100 }));
  const missing = 100 - exact.reduce((sum, { share }) => sum + Math.floor(share), 0);
  const remainder = (share: number) => share - Math.floor(share);
  const raised = new Set(
    [...exact]
      .sort((a, b) => remainder(b.share) - remainder(a.share) || (a.name < b.name ? -1 : 1))
      .slice(0, missing)
      .map(({ name }) => name),
  );
  const whole = exact.map(({ name, share }) => [name, Math.floor(share) + (raised.has(name) ? 1 : 0)] as const);
  return Object.fromEntries(whole.filter(([, weight]) => weight > 0));
}
