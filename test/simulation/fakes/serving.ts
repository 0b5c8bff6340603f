import { Fault } from '@serin/core/base/fault';
import { canonical } from '@serin/core/base/json';
import type { Deployment, Mirror, Observation, Operation, Serving, Weights } from '@serin/core/ports/serving';
import type { Sync } from './sync.ts';
import type { Route } from './traffic.ts';

/** How a deployment, or an operation, goes. */
export interface ServingFate {
  readonly readyMs: number;
  readonly becomes: 'ready' | 'failed' | 'pending';
}

/** How a provider differs from a machine. */
export interface ServingShape {
  /** A deploy is one operation: the endpoint is busy until the deployment is ready, or has failed. */
  readonly deployIsBusy: boolean;
  /** The only deployment of an endpoint gets all requests as soon as it is ready. */
  readonly routesTheOnlyOne: boolean;
  /**
   * What is left of a deploy that failed: the deployment; beside others only the report, and the provider says that it took
   * it back; or only the report, until another operation is begun that takes time.
   */
  readonly failedLeaves: 'itself' | 'a revert' | 'a report';
  /** An endpoint without weights, or without deployments, is gone. */
  readonly emptyIsAbsent: boolean;
  /** Percent of the requests that can be mirrored at most; 0: there are no mirrors. */
  readonly mirrorsUpTo: number;
  /** Operations that have to end before a first deploy of a name can begin; each is begun by asking for that deploy. */
  readonly firstSteps: number;
  /** An endpoint is put as a whole, which makes it or replaces it, and is there before its deployments: `putServing`. */
  readonly isPut: boolean;
}

const machineShape: ServingShape = {
  deployIsBusy: false,
  routesTheOnlyOne: false,
  failedLeaves: 'itself',
  emptyIsAbsent: false,
  mirrorsUpTo: 100,
  firstSteps: 0,
  isPut: false,
};

export interface ServingOptions {
  readonly now: () => number;
  readonly shape?: ServingShape;
  readonly fateOf: (endpoint: string, deployment: Deployment) => ServingFate;
  /** How long an operation keeps the endpoint busy; its effect comes at the end. Not asked where a deploy takes as long as its deployment. */
  readonly operationMs: (endpoint: string, operation: Operation) => number;
  readonly onOperation?: (endpoint: string, ends: { readonly at: number; readonly failed: boolean }) => void;
  /** The provider takes this change of weights back by itself. */
  readonly takesBack?: (endpoint: string, weights: Weights) => string | undefined;
  /** Why a change is refused that could be made; absent: none is. */
  readonly refuses?: (operation: Operation) => string | undefined;
  /** Whether the caller of the change under way has given it up. */
  readonly isStray?: () => boolean;
  readonly onRoute?: (endpoint: string, route: Route) => void;
}

/** What a `weigh` sets. */
export interface Shares {
  readonly weights: Weights;
  readonly mirror?: Mirror;
}

interface Slot {
  readonly deployment: Deployment;
  readonly createdAt: number;
  readonly fate: ServingFate;
}

interface Pending {
  readonly operation: Operation | { readonly kind: 'prepare' };
  readonly endsAt: number;
  readonly isStray: boolean;
}

interface Endpoint {
  readonly slots: Map<string, Slot>;
  /** How far a deployment that is not begun yet is prepared. */
  readonly prepared: Map<string, number>;
  shares: Shares;
  pending?: Pending;
  revertedByProvider?: string;
}

export interface MemoryServing extends Sync<Serving> {
  weights(endpoint: string): Weights;
  /** What is put replaces all that was there, whatever that was; of an endpoint that is not there it makes one. */
  put(endpoint: string, shares: Shares): 'accepted' | 'busy';
  /** What is under way: a change of the endpoint itself, or of one of its deployments. */
  changing(endpoint: string): 'endpoint' | 'deployment' | undefined;
}

/** Endpoints in memory: one operation at a time, whose effect comes when it ends. */
export function memoryServing(options: ServingOptions): MemoryServing {
  const endpoints = new Map<string, Endpoint>();
  const { now, shape = machineShape } = options;

  /** What has ended by now has its effect. */
  function current(name: string): Endpoint | undefined {
    const endpoint = endpoints.get(name);
    if (endpoint?.pending !== undefined && endpoint.pending.endsAt <= now()) {
      const { pending } = endpoint;
      delete endpoint.pending;
      finish(name, endpoint, pending);
    }
    return endpoints.get(name);
  }

  function finish(name: string, endpoint: Endpoint, done: Pending): void {
    const { operation } = done;
    switch (operation.kind) {
      case 'prepare':
        break;
      case 'deploy':
        deployed(name, endpoint, operation.deployment.name, done);
        break;
      case 'retire':
        endpoint.slots.delete(operation.deployment);
        if (shape.emptyIsAbsent && endpoint.slots.size === 0) endpoints.delete(name);
        break;
      case 'weigh':
        weighed(name, endpoint, operation, done);
    }
  }

  function weighed(name: string, endpoint: Endpoint, shares: Shares, done: Pending): void {
    const reason = options.takesBack?.(name, shares.weights);
    if (reason !== undefined) {
      endpoint.revertedByProvider = reason;
      return;
    }
    route(name, endpoint, sharesOf(shares), done);
    if (shape.emptyIsAbsent && Object.keys(shares.weights).length === 0) endpoints.delete(name);
  }

  function deployed(name: string, endpoint: Endpoint, deployment: string, done: Pending): void {
    const slot = endpoint.slots.get(deployment);
    if (slot === undefined) return;
    if (!becameReady(slot)) {
      if (shape.failedLeaves === 'a revert' && endpoint.slots.size > 1)
        endpoint.revertedByProvider = `the update to '${deployment}' failed: ${failure}`;
    } else if (shape.routesTheOnlyOne && endpoint.slots.size === 1)
      route(name, endpoint, { weights: { [deployment]: 100 } }, done);
  }

  function route(name: string, endpoint: Endpoint, shares: Shares, { endsAt, isStray }: Pending): void {
    endpoint.shares = shares;
    options.onRoute?.(name, { ...shares, at: endsAt, isStray });
  }

  /** How long it keeps the endpoint busy. What failed and was taken back is a report, and goes at once. */
  function durationOf(name: string, { slots }: Endpoint, operation: Operation): number {
    const slot = operation.kind === 'deploy' ? slots.get(operation.deployment.name) : undefined;
    if (slot !== undefined && shape.deployIsBusy) return slot.fate.readyMs;
    const gone = operation.kind === 'retire' ? slots.get(operation.deployment) : undefined;
    const isReport = shape.failedLeaves === 'a report' || (shape.failedLeaves === 'a revert' && slots.size > 1);
    if (gone !== undefined && isReport && !becameReady(gone)) return 0;
    return options.operationMs(name, operation);
  }

  function begin(name: string, endpoint: Endpoint, operation: Pending['operation'], ms: number): 'accepted' {
    delete endpoint.revertedByProvider;
    if (shape.failedLeaves === 'a report' && operation.kind !== 'weigh') forgetFailed(endpoint, operation);
    const endsAt = now() + ms;
    endpoint.pending = { operation, endsAt, isStray: options.isStray?.() ?? false };
    options.onOperation?.(name, { at: endsAt, failed: operation.kind === 'deploy' && !isSound(endpoint, operation) });
    current(name);
    return 'accepted';
  }

  /** Only what was begun last is reported; a `prepare` is for a deployment that is no slot yet. */
  function forgetFailed({ slots }: Endpoint, operation: Pending['operation']): void {
    const own = operation.kind === 'deploy' ? operation.deployment.name : undefined;
    const kept = operation.kind === 'retire' ? operation.deployment : own;
    for (const [name, slot] of slots) if (name !== kept && !becameReady(slot)) slots.delete(name);
  }

  return {
    change(name, operation) {
      const endpoint: Endpoint = current(name) ?? { slots: new Map(), prepared: new Map(), shares: { weights: {} } };
      check(name, endpoint, operation, now());
      const refusal = options.refuses?.(operation);
      if (refusal !== undefined) throw new Fault('invalid', `${name}: ${refusal}`);
      if (operation.kind === 'weigh' && (operation.mirror?.percent ?? 0) > shape.mirrorsUpTo)
        throw new Fault('invalid', `${name}: ${operation.mirror?.percent} % cannot be mirrored here`);
      if (endpoint.pending !== undefined) return 'busy';
      if (shape.isPut && !endpoints.has(name)) throw new Fault('notFound', `there is no endpoint ${name}`);
      if (operation.kind === 'deploy') {
        const { deployment } = operation;
        const known = endpoint.slots.get(deployment.name);
        if (known !== undefined && contentOf(known.deployment) !== contentOf(deployment))
          throw new Fault('defect', `${name}: the name '${deployment.name}' is taken by another content`);
        if (known !== undefined) return 'accepted';
        const prepared = endpoint.prepared.get(deployment.name) ?? 0;
        if (prepared < shape.firstSteps) {
          endpoint.prepared.set(deployment.name, prepared + 1);
          endpoints.set(name, endpoint);
          return begin(name, endpoint, { kind: 'prepare' }, options.operationMs(name, operation));
        }
        endpoint.slots.set(deployment.name, { deployment, createdAt: now(), fate: options.fateOf(name, deployment) });
        endpoints.set(name, endpoint);
      }
      if (operation.kind === 'weigh' && canonical(sharesOf(operation)) === canonical(endpoint.shares))
        return 'accepted';
      if (operation.kind === 'retire' && !endpoint.slots.has(operation.deployment)) return 'accepted';
      return begin(name, endpoint, operation, durationOf(name, endpoint, operation));
    },
    observe(name) {
      const endpoint = current(name);
      return endpoint === undefined ? 'absent' : observation(endpoint, now(), shape);
    },
    weights: (name) => current(name)?.shares.weights ?? {},
    put(name, shares) {
      const endpoint: Endpoint = current(name) ?? { slots: new Map(), prepared: new Map(), shares: { weights: {} } };
      const operation = { kind: 'weigh', ...shares } as const;
      const problem = putProblem(endpoint, shares, shape) ?? options.refuses?.(operation);
      if (problem !== undefined) throw new Fault('invalid', `${name}: ${problem}`);
      if (endpoint.pending !== undefined) return 'busy';
      endpoints.set(name, endpoint);
      return begin(name, endpoint, operation, options.operationMs(name, operation));
    },
    changing(name) {
      const kind = current(name)?.pending?.operation.kind;
      if (kind === undefined) return undefined;
      return kind === 'weigh' ? 'endpoint' : 'deployment';
    },
  };
}

const failure = 'the server does not answer /ping';
const becameReady = ({ fate }: Slot): boolean => fate.becomes === 'ready';
const isSound = ({ slots }: Endpoint, { deployment }: Extract<Operation, { kind: 'deploy' }>): boolean =>
  slots.get(deployment.name)?.fate.becomes === 'ready';

function observation(
  { slots, shares, pending, revertedByProvider }: Endpoint,
  now: number,
  { deployIsBusy }: ServingShape,
): Observation {
  return {
    deployments: [...slots.values()].map(({ deployment, createdAt, fate }) => {
      // A provider gives up what does not become ready; a machine waits for it.
      const becomes = deployIsBusy && fate.becomes === 'pending' ? 'failed' : fate.becomes;
      const status = now < createdAt + fate.readyMs ? 'pending' : becomes;
      const { name, version } = deployment;
      return { name, version, status, ...(status === 'failed' ? { reason: failure } : {}) };
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

/** Why shares cannot be put, whatever they were before. */
function putProblem({ slots }: Endpoint, shares: Shares, { mirrorsUpTo }: ServingShape): string | undefined {
  const { weights, mirror } = shares;
  const named = [...Object.keys(weights), ...(mirror === undefined ? [] : [mirror.deployment])];
  const missing = named.find((deployment) => !slots.has(deployment));
  if (missing !== undefined) return `there is no deployment '${missing}'`;
  if ((mirror?.percent ?? 0) > mirrorsUpTo) return `${mirror?.percent} % cannot be mirrored here`;
  return problemOf(shares);
}

/** What may not differ under one name. */
const contentOf = ({ version, artifact, code, image, command, environment }: Deployment): string =>
  canonical({ version, digest: artifact.digest, code, image, command, environment });

const sharesOf = ({ weights, mirror }: Shares): Shares => ({ weights, ...(mirror === undefined ? {} : { mirror }) });
