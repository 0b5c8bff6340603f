import { Fault } from '@serin/core/fault';
import { canonical } from '@serin/core/json';
import type { Deployment, Observation, Operation, Serving, Weights } from '@serin/core/ports';
import type { Sync } from './sync.ts';

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
  readonly onWeights?: (endpoint: string, weights: Weights, at: number) => void;
}

interface Slot {
  readonly deployment: Deployment;
  readonly createdAt: number;
  readonly fate: ServingFate;
}

interface Endpoint {
  readonly slots: Map<string, Slot>;
  weights: Weights;
  pending?: { readonly operation: Operation; readonly endsAt: number };
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
      const { operation, endsAt } = endpoint.pending;
      delete endpoint.pending;
      finish(name, endpoint, operation, endsAt);
    }
    return endpoint;
  }

  function finish(name: string, endpoint: Endpoint, operation: Operation, at: number): void {
    if (operation.kind === 'retire') endpoint.slots.delete(operation.deployment);
    if (operation.kind !== 'weigh') return;
    const reason = options.takesBack?.(name, operation.weights);
    if (reason !== undefined) {
      endpoint.revertedByProvider = reason;
      return;
    }
    endpoint.weights = operation.weights;
    options.onWeights?.(name, operation.weights, at);
  }

  return {
    change(name, operation) {
      const endpoint: Endpoint = current(name) ?? { slots: new Map(), weights: {} };
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
      if (operation.kind === 'weigh' && sameWeights(operation.weights, endpoint.weights)) return 'accepted';
      if (operation.kind === 'retire' && !endpoint.slots.has(operation.deployment)) return 'accepted';
      delete endpoint.revertedByProvider;
      endpoint.pending = { operation, endsAt: now() + options.operationMs(name, operation) };
      current(name);
      return 'accepted';
    },
    observe(name) {
      const endpoint = current(name);
      return endpoint === undefined ? 'absent' : observation(endpoint, now());
    },
    weights: (name) => current(name)?.weights ?? {},
  };
}

function observation({ slots, weights, pending, revertedByProvider }: Endpoint, now: number): Observation {
  return {
    deployments: [...slots.values()].map(({ deployment, createdAt, fate }) => {
      const status = now < createdAt + fate.readyMs ? 'pending' : fate.becomes;
      const { name, version } = deployment;
      return { name, version, status, ...(status === 'failed' ? { reason: 'the server does not answer /ping' } : {}) };
    }),
    weights,
    busy: pending !== undefined,
    ...(revertedByProvider === undefined ? {} : { revertedByProvider }),
  };
}

function check(name: string, endpoint: Endpoint, operation: Operation, now: number): void {
  const refuse = (text: string): never => {
    throw new Fault('invalid', `${name}: ${text}`);
  };
  if (operation.kind === 'retire' && (endpoint.weights[operation.deployment] ?? 0) > 0)
    refuse(`'${operation.deployment}' holds weight: take it away first`);
  if (operation.kind !== 'weigh') return;
  const weights = Object.values(operation.weights);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (
    weights.some((weight) => !Number.isInteger(weight) || weight < 0 || weight > 100) ||
    (weights.length > 0 && sum !== 100)
  )
    refuse(`the weights ${JSON.stringify(operation.weights)} are not integers that sum to 100`);
  for (const [deployment, weight] of Object.entries(operation.weights)) {
    const slot = endpoint.slots.get(deployment);
    if (weight > 0 && slot === undefined) refuse(`there is no deployment '${deployment}'`);
    const rises = weight > (endpoint.weights[deployment] ?? 0);
    if (slot !== undefined && rises && (now < slot.createdAt + slot.fate.readyMs || slot.fate.becomes !== 'ready'))
      refuse(`'${deployment}' is not ready`);
  }
}

/** What may not differ under one name. */
const contentOf = ({ version, artifact, code, image, command, environment }: Deployment): string =>
  canonical({ version, digest: artifact.digest, code, image, command, environment });

const sameWeights = (a: Weights, b: Weights): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, weight]) => b[name] === weight);
