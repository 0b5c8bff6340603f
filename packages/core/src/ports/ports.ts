import type { Bucket } from './bucket.ts';
import type { Bus } from './bus.ts';
import type { Jobs } from './jobs.ts';
import type { Journal } from './journal.ts';
import type { Notify } from './notify.ts';
import type { Registry } from './registry.ts';
import type { Serving, ServingKind } from './serving.ts';
import type { Labels, Telemetry } from './telemetry.ts';

/**
 * The nine ports. Each promise answers: twice? late? concurrently? too big?
 *
 * Every method may throw a `Fault` with retry `later` (`throttled`, `unavailable`); other faults are named.
 * All times are milliseconds since the epoch. All shapes are plain JSON.
 */
export interface Ports {
  readonly journal: Journal;
  /** The bucket of a name; a name that does not exist throws `notFound` at the first call of a method. */
  readonly bucket: (name: string) => Bucket;
  readonly jobs: Jobs;
  readonly registry: Registry;
  /** By the kind of serving that the plan names. A kind that the platform does not have is `invalid`. */
  readonly serving: (kind: ServingKind) => Serving;
  /** The counts of a kind of serving. */
  readonly telemetry: (kind: ServingKind) => Telemetry;
  readonly labels: Labels;
  readonly bus: Bus;
  readonly notify: Notify;
}
