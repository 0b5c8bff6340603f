import { Fault } from '@serin/core/base/fault';
import { canonical } from '@serin/core/base/json';
import { second } from '@serin/core/base/time';
import type { Deployment, Mirror, Weights } from '@serin/core/ports/serving';
import { notYet } from './faults.ts';
import { artifactAt, type Objects } from './jobs/artifacts.ts';

/** What `weigh` promises on every platform: weights or a mirror that no deployment could have are `invalid`. */
export function checkShares(endpoint: string, weights: Weights, mirror: Mirror | undefined): void {
  const values = Object.values(weights);
  const isWhole = values.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= 100);
  const sum = values.reduce((total, weight) => total + weight, 0);
  if (!isWhole || (sum !== 100 && values.length > 0)) {
    const mend = 'use whole numbers from 0 to 100 that add up to 100, or no weights';
    throw new Fault('invalid', `cannot set the weights of ${endpoint} to ${JSON.stringify(weights)}; ${mend}`);
  }
  if (mirror === undefined) return;
  const { deployment, percent } = mirror;
  if (!Number.isInteger(percent) || percent < 1 || percent > 100)
    throw new Fault('invalid', `cannot mirror ${percent} % of ${endpoint}; use a whole number from 1 to 100`);
  if ((weights[deployment] ?? 0) > 0)
    throw new Fault(
      'invalid',
      `cannot mirror ${endpoint} to ${deployment}: it gets requests itself; set its weight to 0`,
    );
}

/** The engine gives an order 30 seconds of its lease, and a call is cut off after 20. */
const writeWithinMs = 10 * second;

/**
 * Made when an order for an endpoint comes, and called before each write for it: `unavailable` for who was held up since,
 * by slow looks or because the process stood still. The order may be another one's by then, or be taken back.
 */
export function writesInTime(endpoint: string, now: () => number): () => void {
  const orderedAt = now();
  return () => {
    if (now() - orderedAt > writeWithinMs)
      throw notYet(`the endpoint ${endpoint} was not written to, for its order came more than 10 seconds ago`);
  };
}

/** What a deployment is: it is another one when this is another. What its endpoint captures is not a part of it. */
export const contentOf = (endpoint: string, { capture: _, ...deployment }: Deployment): string =>
  canonical({ endpoint, deployment });

/** What was judged is what is served: a job may write into the own bucket, also over what another one left there. */
export async function checkArtifact(
  endpoint: string,
  { name, artifact: { uri, digest } }: Deployment,
  objects: Objects,
  ownBucket: string,
): Promise<void> {
  if (objects.placeOf(uri)?.bucket !== ownBucket) return;
  const found = await artifactAt(uri, objects);
  if (found?.digest === digest) return;
  const why =
    found === undefined ? 'was deleted' : `was changed since it was judged (digest ${found.digest}, not ${digest})`;
  throw new Fault('invalid', `cannot deploy ${name} to ${endpoint}: its artifact ${uri} ${why}; train it again`);
}

/** Where every model server is asked, on every platform. */
export const served = { port: 8080, health: '/ping', predict: '/invocations' } as const;

/** The variables by which a model server in a container finds its port. */
export const portVariables = {
  PORT: String(served.port),
  SAGEMAKER_BIND_TO_PORT: String(served.port),
  SERIN_BIND_ADDRESS: '0.0.0.0',
} as const;

/** What every model server is told of itself. */
export const servedAs = (endpoint: string, { name, version }: Pick<Deployment, 'name' | 'version'>) => ({
  MODEL_NAME: endpoint,
  MODEL_VERSION: String(version),
  SERIN_ENDPOINT: endpoint,
  SERIN_DEPLOYMENT: name,
  SERIN_MODEL_VERSION: String(version),
});
