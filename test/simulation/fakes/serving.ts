import { Fault } from '@serin/core/fault';
import { canonical } from '@serin/core/json';
import type { Deployment, Mirror, Observation, Operation, Serving, Weights } from '@serin/core/ports';
import type { Sync } from './sync.ts';
import type { Route } from './traffic.ts';

/** How a deployment, or an operation, goes. */
export interface ServingFate {
  readonly readyMs: number;
  readonly becomes: 'ready' | 'failed' | 'pending';
}

export interface ServingOptions {
  readonly now: () => number;
  readonly fateOf: (endpoint: string, deployment: Deployment) => ServingFate;
  /** How long an operation keeps the endpoint busy; its effect comes at the end. */
  readonly operationMs: (endpoint: string, operation: Operation) => number;
  /** The provider takes this change of weights back by itself. */
  readonly takesBack?: (endpoint: string, weights: Weights) => string | undefined;
  /** Whether the caller of the change under way has given it up. */
  readonly isStray?: () => boolean;
  readonly onRoute?: (endpoint: string, route: Route) => void;
}

/** What a `weigh` sets. */
interface Shares {
  readonly weights: Weights;
  readonly mirror?: Mirror;
}

interface Slot {
  readonly deployment: Deployment;
  readonly createdAt: number;
  readonly fate: ServingFate;
}

interface Endpoint {
  readonly slots: Map<string, Slot>;
  shares: Shares;
  pending?: { readonly operation: Operation; readonly endsAt: number; readonly isStray: boolean };
  revertedByProvider?: string;
}

/** Endpoints in memory: one operation at a time, whose effect comes when it ends. */
export function memoryServing(options: ServingOptions): Sync<Serving> & { weights(endpoint: string): Weights } {
  const endpoints = new Map<string, Endpoint>();
  const { now } = options;

  /** What has ended by now has its effect. */
  function current(name: string): Endpoint | undefined {
    const endpoint = endpoints.get(name);
    if (endpoint?.pending !== undefined && endpoint.pending.endsAt <= now()) {
      const { pending } = endpoint;
      delete endpoint.pending;
      finish(name, endpoint, pending);
    }
    return endpoint;
  }

  function finish(name: string, endpoint: Endpoint, done: NonNullable<Endpoint['pending']>): void {
    const { operation, endsAt, isStray } = done;
    if (operation.kind === 'retire') endpoint.slots.delete(operation.deployment);
    if (operation.kind !== 'weigh') return;
    const reason = options.takesBack?.(name, operation.weights);
    if (reason !== undefined) {
      endpoint.revertedByProvider = reason;
      return;
    }
    endpoint.shares = sharesOf(operation);
    options.onRoute?.(name, { ...endpoint.shares, at: endsAt, isStray });
  }

  return {
    change(name, operation) {
      const endpoint: Endpoint = current(name) ?? { slots: new Map(), shares: { weights: {} } };
      check(name, endpoint, operation, now());
      if (endpoint.pending !== undefined) return 'busy';
      if (operation.kind === 'deploy') {
        const { deployment } = operation;
        const known = endpoint.slots.get(deployment.name);
        if (known !== undefined && contentOf(known.deployment) !== contentOf(deployment))
          throw new Fault('defect', `${name}: the name '${deployment.name}' is taken by another content`);
        if (known !== undefined) return 'accepted';
        endpoint.slots.set(deployment.name, { deployment, createdAt: now(), fate: options.fateOf(name, deployment) });
        endpoints.set(name, endpoint);
      }
      if (operation.kind === 'weigh' && canonical(sharesOf(operation)) === canonical(endpoint.shares))
        return 'accepted';
      if (operation.kind === 'retire' && !endpoint.slots.has(operation.deployment)) return 'accepted';
      delete endpoint.revertedByProvider;
      const endsAt = now() + options.operationMs(name, operation);
      endpoint.pending = { operation, endsAt, isStray: options.isStray?.() ?? false };
      current(name);
      return 'accepted';
    },
    observe(name) {
      const endpoint = current(name);
      return endpoint === undefined ? 'absent' : observation(endpoint, now());
    },
    weights: (name) => current(name)?.shares.weights ?? {},
  };
}

function observation({ slots, shares, pending, revertedByProvider }: Endpoint, now: number): Observation {
  return {
    deployments: [...slots.values()].map(({ deployment, createdAt, fate }) => {
      const status = now < createdAt + fate.readyMs ? 'pending' : fate.becomes;
      const { name, version } = deployment;
      return { name, version, status, ...(status === 'failed' ? { reason: 'the server does not answer /ping' } : {}) };
    }),
    ...shares,
    busy: pending !== undefined,
    ...(revertedByProvider === undefined ? {} : { revertedByProvider }),
  };
}

function check(name: string, endpoint: Endpoint, operation: Operation, now: number): void {
  const refuse = (text: string): never => {
    throw new Fault('invalid', `${name}: ${text}`);
  };
  if (operation.kind === 'retire' && (endpoint.shares.weights[operation.deployment] ?? 0) > 0)
    refuse(`'${operation.deployment}' holds weight: take it away first`);
  if (operation.kind === 'retire' && endpoint.shares.mirror?.deployment === operation.deployment)
    refuse(`'${operation.deployment}' is the mirror: weigh without a mirror first`);
  if (operation.kind !== 'weigh') return;
  const problem = problemOf(operation);
  if (problem !== undefined) refuse(problem);
  const { weights, mirror } = endpoint.shares;
  const rising = Object.entries(operation.weights).filter(([name, weight]) => weight > (weights[name] ?? 0));
  const mirrored = operation.mirror !== undefined && operation.mirror.deployment !== mirror?.deployment;
  for (const deployment of [
    ...rising.map(([name]) => name),
    ...(mirrored && operation.mirror !== undefined ? [operation.mirror.deployment] : []),
  ]) {
    const slot = endpoint.slots.get(deployment);
    if (slot === undefined) refuse(`there is no deployment '${deployment}'`);
    else if (now < slot.createdAt + slot.fate.readyMs || slot.fate.becomes !== 'ready')
      refuse(`'${deployment}' is not ready`);
  }
}

/** Why a `weigh` is wrong for every endpoint. */
function problemOf({ weights, mirror }: Shares): string | undefined {
  const shares = Object.values(weights);
  const sum = shares.reduce((total, weight) => total + weight, 0);
  if (
    shares.some((weight) => !Number.isInteger(weight) || weight < 0 || weight > 100) ||
    (shares.length > 0 && sum !== 100)
  )
    return `the weights ${JSON.stringify(weights)} are not integers that sum to 100`;
  if (mirror === undefined) return undefined;
  if (!Number.isInteger(mirror.percent) || mirror.percent < 1 || mirror.percent > 100)
    return `${mirror.percent} % cannot be mirrored: use an integer from 1 to 100`;
  return (weights[mirror.deployment] ?? 0) > 0 ? `'${mirror.deployment}' holds weight, so it is no mirror` : undefined;
}

/** What may not differ under one name. */
const contentOf = ({ version, artifact, code, image, command, environment }: Deployment): string =>
  canonical({ version, digest: artifact.digest, code, image, command, environment });

const sharesOf = ({ weights, mirror }: Shares): Shares => ({ weights, ...(mirror === undefined ? {} : { mirror }) });
