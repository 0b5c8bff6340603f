import { Fault } from '../base/fault.ts';
import type { Variables } from '../base/variables.ts';
import type { Capture } from './captured.ts';
import type { Artifact, Compute } from './jobs.ts';

/** What a model can be served on: a standing endpoint. */
export const servingKinds = ['endpoint'] as const;
export type ServingKind = (typeof servingKinds)[number];

/** The port of a platform for each kind of serving. A kind that it does not have is `invalid`. */
export function byServingKind<Port>(platform: string, known: Readonly<Partial<Record<ServingKind, Port>>>) {
  return (kind: ServingKind): Port => {
    const port = Object.hasOwn(known, kind) ? known[kind] : undefined;
    if (port !== undefined) return port;
    const others = Object.keys(known).join(', ');
    throw new Fault('invalid', `${platform} cannot serve on '${kind}': set serve.on to one of ${others}`);
  };
}

export interface Deployment {
  /** `v<number>`: unique within the endpoint; a name that was retired may come again with the same content. */
  readonly name: string;
  readonly version: number;
  readonly artifact: Artifact;
  readonly code?: { readonly digest: string };
  readonly image?: string;
  readonly command: readonly string[];
  /** Secrets by name, as in a job. */
  readonly environment: Variables;
  readonly instances: { readonly min: number; readonly max: number };
  readonly compute: Compute;
  readonly readyTimeoutMs: number;
  /**
   * What its endpoint keeps of the requests; absent: nothing. A platform may set it for the whole endpoint, by whichever
   * deployment came last. It changes with the next deployment only.
   */
  readonly capture?: Capture;
}

/** Weights by deployment: integers 0..100 that sum to exactly 100, or `{}`: nothing is served. */
export type Weights = Readonly<Record<string, number>>;

/** A deployment without weight that gets a copy of some requests. Its answers are thrown away. */
export interface Mirror {
  readonly deployment: string;
  /** Percent of all requests: an integer of 1..100. */
  readonly percent: number;
}

export type Operation =
  /**
   * Makes capacity without traffic, and the endpoint if there is none. If nothing else is served the platform may route
   * to it as soon as it is ready: `observe` then says weight 100.
   */
  | { readonly kind: 'deploy'; readonly deployment: Deployment }
  /** Replaces all weights and the mirror at once. `{}` may also take away the capacity, or the whole endpoint. */
  | { readonly kind: 'weigh'; readonly weights: Weights; readonly mirror?: Mirror }
  /** Takes capacity away. A deployment that holds weight: `invalid`. */
  | { readonly kind: 'retire'; readonly deployment: string };

export interface Observation {
  readonly deployments: readonly {
    readonly name: string;
    readonly version: number;
    readonly status: 'pending' | 'ready' | 'failed';
    readonly reason?: string;
  }[];
  readonly weights: Weights;
  readonly mirror?: Mirror;
  /** An operation is under way: `change` would answer `busy`. */
  readonly busy: boolean;
  /** The provider took back a change by itself: which one, and why. */
  readonly revertedByProvider?: string;
}

/** One endpoint per model. */
export interface Serving {
  /**
   * Issues one provider operation and answers before it has ended. Twice: the same as once.
   * Concurrently: one is `accepted`, others may be `busy`. Only `observe` says what really holds.
   * A deployment that could not be created is `invalid` with the reason.
   */
  change(endpoint: string, operation: Operation): Promise<'accepted' | 'busy'>;
  /** What is really there, never a memory of what was asked for. */
  observe(endpoint: string): Promise<Observation | 'absent'>;
}
