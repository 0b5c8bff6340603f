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

/** Sends events to receivers outside. */
export interface Notify {
  /**
   * Resolves when the receiver has taken the event. Twice: the receiver gets it twice, under one id. Concurrently: each
   * call stands by itself. `invalid`: the receiver refuses this very event, and will refuse it again. Everything else,
   * also a wrong address or secret, is `unavailable` or `throttled` with the reason, and waits until somebody mends it.
   * A reason never contains the text of a secret. A call takes 40 s at most.
   */
  deliver(sink: SinkPlan, event: CloudEvent): Promise<void>;
}
