import type { Variables } from '../base/variables.ts';
import type { CloudEvent } from './bus.ts';

/** One receiver of a model's events, as a plan has it. */
export interface SinkPlan {
  /** Unique in the config: what was delivered is remembered under it. */
  readonly name: string;
  readonly kind: string;
  readonly on: readonly string[];
  /** Hosts that may have a private address, or be asked without TLS. */
  readonly allowPrivate?: readonly string[];
  readonly settings: Variables;
}

/** Tells receivers outside of what happened. */
export interface Notify {
  /**
   * Resolves when the receiver has taken the event. Twice: the receiver is told twice, under one id. Concurrently: each
   * by itself. `invalid`: the receiver refuses this very event, and will again. Everything else, a wrong address or
   * secret too, is `unavailable` or `throttled` with the reason: it waits until somebody mends it. No reason has a text
   * of a secret in it. At most 10 s.
   */
  deliver(sink: SinkPlan, event: CloudEvent): Promise<void>;
}
