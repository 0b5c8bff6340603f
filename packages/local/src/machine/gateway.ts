import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asFault } from '@serin/core/base/fault';
import { errors } from '@serin/core/base/measures';
import type { Assignments } from './assignments.ts';
import type { CaptureRule, Captures } from './captures.ts';
import type { Arm, Counters, Routed } from './counters.ts';
import type { Exchange, Follower } from './exchange.ts';
import { type Followed, followers } from './followers.ts';
import { forward } from './forward.ts';
import { describe, type Passage } from './inference/describe.ts';
import { dialects } from './inference/dialect.ts';
import { infer, mirrored } from './inference/infer.ts';
import type { Protocol, Target } from './invocation-paths.ts';
import { defaultSilenceMs, type Pool } from './model-servers.ts';
import type { Pairs } from './pairs.ts';
import { type Refusal, refuse, tooLarge } from './refusal.ts';
import { type Coin, cryptoCoin, pick, type Route, type User, userOf } from './routing.ts';
import type { UserArm, Users } from './users.ts';

export interface Gateway {
  /** Answers a request for a model. */
  handle(request: IncomingMessage, response: ServerResponse, target: Target): void;
  /** Gives up the copies that are on their way to mirrors: before the model servers end, for that is no fault of theirs. */
  close(): void;
}

/** Headers are lower case, values exact. What is absent costs nothing. */
export interface GatewayOptions {
  readonly route: (endpoint: string) => Route | undefined;
  readonly pool: (endpoint: string, deployment: string) => Pool | undefined;
  readonly counters: Counters;
  readonly users?: Users;
  /** Without it nothing is mirrored. */
  readonly pairs?: Pairs;
  readonly assignments?: Assignments;
  readonly captures?: Captures;
  /** An endpoint to which nothing was deployed yet. */
  readonly isPlanned?: (endpoint: string) => boolean;
  /** The header whose value decides the deployment; without one, or without the header, a coin decides. */
  readonly stickyHeader?: (endpoint: string) => string | undefined;
  /** Requests with one of these values of a header are counted by that value as well. */
  readonly segment?: (endpoint: string) => { readonly by: string; readonly values: readonly string[] } | undefined;
  /** The requests of an endpoint are remembered, with the prediction at a JSON pointer or in one of the usual places. */
  readonly remembers?: (endpoint: string) => { readonly prediction?: string | undefined } | undefined;
  /** Without one nothing of an endpoint is captured. */
  readonly captureRule?: (endpoint: string) => CaptureRule | undefined;
  readonly coin?: Coin;
  /** How long neither the caller nor the model may send a byte, where `silenceMs` has nothing for an endpoint; 30 s. */
  readonly timeoutMs?: number;
  readonly silenceMs?: (endpoint: string) => number | undefined;
  /** Of a request body; the default is SageMaker's. */
  readonly maxBodyBytes?: number;
  /** Of Serin, as the Open Inference Protocol tells it. */
  readonly version?: string;
  /** Called for each prediction that an existing endpoint is asked for. */
  readonly onPrediction?: (endpoint: string, protocol: Protocol) => void;
}

type Asked = Extract<Target, { kind: 'predict' }>;

interface Branch {
  readonly deployment: string;
  readonly pool: Pool | undefined;
  readonly arm: Arm;
  readonly users: UserArm | undefined;
}

/**
 * Sends each request to one deployment of its endpoint, by weight, and counts it for that deployment alone.
 *
 * A request is never sent twice, and never to another deployment than the one it was routed to: if that one is down, the
 * caller gets 503 and the deployment an error. Errors are answers of 500 and more, broken connections, and silence;
 * answers below 500 are the caller's, and a caller who went away is not an error. Bodies pass through unread.
 * `Authorization` and `Cookie` belong to this server and are not handed to a model.
 *
 * A request of the Open Inference Protocol goes the same way, and is translated where its model server does not speak it.
 * One for a version that serves goes there, whatever the weights are: nobody tossed for it, so it is counted for no
 * deployment, not mirrored and not remembered.
 *
 * A share of the requests is captured, if the endpoint has a rule for that: each by a coin of its own, tossed when it is
 * routed, so that neither the caller nor the answer has a say.
 *
 * A route with a mirror has a share of its requests, each by a coin of its own, copied to another deployment once they
 * are answered: see `followers`.
 */
export function gateway(options: GatewayOptions): Gateway {
  const { counters, timeoutMs = defaultSilenceMs, maxBodyBytes = 6 * 1024 * 1024, coin = cryptoCoin() } = options;
  const silenceOf = (endpoint: string): number => options.silenceMs?.(endpoint) ?? timeoutMs;
  const { pairs, assignments, captures } = options;
  const { follow, close } = followers({ pairs, assignments, captures, time: counters.time, limits: { maxBodyBytes } });
  const captureCoin = cryptoCoin(1_000_000);
  const dialect = dialects();
  const branches = new WeakMap<Route, readonly Branch[]>();
  const idPrefix = `req_${Date.now().toString(36)}${randomBytes(5).toString('hex')}`;
  let requests = 0;

  function branchesOf(route: Route): readonly Branch[] {
    const known = branches.get(route);
    if (known !== undefined) return known;
    const fresh = route.arms.map(({ deployment }) => ({
      deployment,
      pool: options.pool(route.endpoint, deployment),
      arm: counters.arm(route.endpoint, deployment),
      users: options.users?.arm(route.endpoint, deployment),
    }));
    branches.set(route, fresh);
    return fresh;
  }

  function handle(request: IncomingMessage, response: ServerResponse, target: Target): void {
    requests += 1;
    const passage = { request, response, requestId: idPrefix + requests.toString(36).padStart(6, '0') };
    if (target.kind === 'server') {
      describe.server(passage, target.what, options.version ?? '');
      return;
    }
    const route = options.route(target.endpoint);
    if (route === undefined) {
      refuseUnknown(passage, target.endpoint);
      return;
    }
    if (target.kind !== 'predict') {
      void about(passage, route, target);
      return;
    }
    options.onPrediction?.(target.endpoint, target.protocol);
    if (declaredBytes(request) > maxBodyBytes) {
      refusePassage(passage, { status: 413, detail: tooLarge(maxBodyBytes) });
    } else {
      send(passage, route, target);
    }
  }

  function refuseUnknown(passage: Passage, endpoint: string): void {
    const isPlanned = options.isPlanned?.(endpoint) ?? false;
    if (isPlanned) refusePassage(passage, { status: 503, detail: nothingServed(endpoint) });
    else refusePassage(passage, { status: 404, detail: `there is no endpoint ${endpoint}; see the list of endpoints` });
  }

  /** Answers what is served, without a prediction. */
  async function about(passage: Passage, route: Route, target: Exclude<Target, Asked | { kind: 'server' }>) {
    const { endpoint } = route;
    const version = target.kind === 'ping' ? undefined : target.version;
    const asked = branchesOf(route).filter(({ deployment }) => version === undefined || deployment === `v${version}`);
    if (version !== undefined && asked.length === 0)
      return refusePassage(passage, { status: 404, detail: notServed(route, version) });
    for (const { deployment, pool } of asked) {
      const upstream = pool?.take();
      if (upstream === undefined) continue;
      try {
        if (target.kind !== 'metadata') return describe.ready(passage, target.kind === 'ping' ? undefined : endpoint);
        const metadata = await dialect(upstream, endpoint, silenceOf(endpoint));
        return describe.model(passage, metadata, { endpoint, versions: asked.map((each) => each.deployment.slice(1)) });
      } catch (error) {
        const detail = `${deployment} of ${endpoint} did not say what it speaks; try again: ${asFault(error).message}`;
        return refusePassage(passage, { status: 503, detail, deployment });
      } finally {
        pool?.release();
      }
    }
    refusePassage(passage, { status: 503, detail: nothingServed(endpoint) });
  }

  function send(passage: Passage, route: Route, { protocol, path, version }: Asked): void {
    const { request, response, requestId } = passage;
    const { endpoint } = route;
    const user = userBy(options.stickyHeader?.(endpoint), route, request);
    const all = branchesOf(route);
    const branch =
      version === undefined
        ? all[pick(route, user?.number ?? coin())]
        : all.find(({ deployment }) => deployment === `v${version}`);
    if (branch === undefined) {
      const refusal =
        version === undefined
          ? { status: 503, detail: nothingServed(endpoint) }
          : { status: 404, detail: notServed(route, version) };
      refusePassage(passage, refusal);
      return;
    }
    const { deployment, pool } = branch;
    const isV2 = protocol === 'v2';
    // It waits until its process has said which dialect it speaks. Nothing may be lost meanwhile.
    if (isV2) request.pause();
    const limits = { timeoutMs: silenceOf(endpoint), maxBodyBytes };
    const routed = version === undefined ? countIn(branch, route, request, user) : branch.arm.unchosen();
    const as = isV2 ? mirrored(dialect, { request, endpoint, path }, limits) : undefined;
    const sent = { deployment, path, routed, routedAt: performance.now(), timeoutMs: limits.timeoutMs, as };
    const follower = version === undefined ? followerOf(passage, route, sent) : undefined;
    const upstream = pool?.take();
    if (pool === undefined || upstream === undefined) {
      routed.ended(0, [errors]);
      const detail = `${deployment} of ${endpoint} is not ready; try again`;
      refusePassage(passage, { status: 503, detail, deployment });
      follower?.ended('failed', performance.now());
      return;
    }
    const { routedAt } = sent;
    const exchange: Exchange = {
      request,
      response,
      requestId,
      endpoint,
      deployment,
      pool,
      path,
      routed,
      routedAt,
      follower,
    };
    if (isV2) infer(exchange, upstream, limits, dialect);
    else forward(exchange, upstream, limits);
  }

  /** Counts a request for its deployment and, where they are known, for its segment and its user. */
  function countIn(branch: Branch, route: Route, request: IncomingMessage, user: User | undefined): Routed {
    const whole = branch.arm.routed();
    const segment = segmentBy(options.segment?.(route.endpoint), request);
    const { second } = whole;
    // Who met a deployment that was on its way back has met nothing of it yet.
    const isCounted = user !== undefined && !counters.isReturning(route.endpoint);
    const ofUser = isCounted ? branch.users?.routed(second, user.id) : undefined;
    if (segment === undefined && ofUser === undefined) return whole;
    const ofSegment =
      segment === undefined ? undefined : counters.arm(route.endpoint, branch.deployment, segment).routed(second);
    return {
      second,
      ended(latencyMs, bad) {
        whole.ended(latencyMs, bad);
        ofSegment?.ended(latencyMs, bad);
        ofUser?.(latencyMs, bad.includes(errors));
      },
    };
  }

  function followerOf(
    { request, requestId }: Passage,
    { endpoint, weights, mirror }: Route,
    sent: Pick<Followed, 'deployment' | 'path' | 'routed' | 'routedAt' | 'timeoutMs' | 'as'>,
  ): Follower | undefined {
    const isMirrored = mirror !== undefined && pairs !== undefined && coin() < mirror.percent;
    const remembered = options.remembers?.(endpoint);
    const rule = captures === undefined ? undefined : options.captureRule?.(endpoint);
    const capture = rule !== undefined && captureCoin() < rule.share ? rule : undefined;
    if (!isMirrored && remembered === undefined && capture === undefined) return undefined;
    const to = isMirrored ? mirror.deployment : undefined;
    return follow({
      ...sent,
      request,
      requestId,
      endpoint,
      weight: weights[sent.deployment] ?? 0,
      isRemembered: remembered !== undefined,
      capture,
      pointer: remembered?.prediction,
      ...(to === undefined ? {} : { mirror: { deployment: to, pool: options.pool(endpoint, to) } }),
    });
  }

  return { handle, close };
}

/** Without a header, or an empty one, a request is nobody's. */
function userBy(header: string | undefined, route: Route, request: IncomingMessage): User | undefined {
  const key = header === undefined ? undefined : request.headers[header];
  return typeof key === 'string' && key !== '' ? userOf(route.endpoint, key) : undefined;
}

function segmentBy(
  rule: { readonly by: string; readonly values: readonly string[] } | undefined,
  request: IncomingMessage,
): string | undefined {
  const value = rule === undefined ? undefined : request.headers[rule.by];
  return typeof value === 'string' && rule?.values.includes(value) ? value : undefined;
}

function declaredBytes(request: IncomingMessage): number {
  const { rawHeaders } = request;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(rawHeaders[index + 1]);
  }
  return 0;
}

const nothingServed = (endpoint: string): string =>
  `nothing is served at ${endpoint}; look what goes on with 'serin why ${endpoint}', then try again`;

const notServed = ({ endpoint, arms }: Route, version: string): string => {
  const versions = arms.map(({ deployment }) => deployment.slice(1)).join(', ') || 'none';
  return `version ${version} of ${endpoint} does not serve; ask without /versions, or for one that does: ${versions}`;
};

const refusePassage = ({ request, response, requestId }: Passage, refusal: Omit<Refusal, 'requestId'>): void =>
  refuse(request, response, { ...refusal, requestId });
