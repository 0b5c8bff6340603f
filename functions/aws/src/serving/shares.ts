import { Fault } from '@serin/core/base/fault';
import type { Mirror, Weights } from '@serin/core/ports/serving';

/**
 * "If you use this field, you can only specify one variant for ProductionVariants and one variant for
 * ShadowProductionVariants" (API reference, CreateEndpointConfig).
 */
export function checkMirrored(endpoint: string, weights: Weights, mirror: Mirror | undefined): void {
  if (mirror === undefined || Object.values(weights).filter((weight) => weight > 0).length === 1) return;
  const mend = 'SageMaker mirrors only when one deployment has all weight; set one weight to 100';
  const what = `mirror ${endpoint} to ${mirror.deployment} beside ${JSON.stringify(weights)}`;
  throw new Fault('invalid', `cannot ${what}; ${mend}`);
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
