/** Documents of the API, as far as the lists look at them; the route table has their schemas. */

export interface Status {
  readonly project?: string;
  readonly environment: string;
  readonly revision: number;
  readonly config?: { readonly digest: string; readonly at: string; readonly by: string };
  readonly freeze?: { readonly by: string; readonly because: string; readonly until?: string };
  readonly clock?: string;
  readonly models: readonly ModelRow[];
  readonly next?: string;
}

export interface ModelRow {
  readonly model: string;
  readonly at: string;
  readonly champion?: number;
  readonly since?: string;
  readonly run?: { readonly id: string; readonly status: string };
  readonly rollout?: { readonly id: string; readonly status: string; readonly candidate: number };
  readonly settlesAt?: string;
  readonly endpoint: string;
  readonly unready?: string;
  readonly intake: string;
  readonly data?: string;
  readonly offered?: number;
  /** Of the offered version. */
  readonly approval?: string;
  readonly firing?: string;
  /** The version that alerts hold back. */
  readonly holds?: number;
  readonly untold?: string;
  readonly retired?: boolean;
  readonly frozen?: boolean;
}

interface Arm {
  readonly requests: number;
  readonly errors: number;
}

export interface Rollout {
  readonly id: string;
  readonly model: string;
  readonly status: string;
  readonly candidate: number;
  readonly stable?: number;
  readonly weight: number;
  readonly steps: readonly number[];
  readonly until?: number;
  readonly endsAt?: number;
  readonly because?: string;
  readonly evidence: { readonly candidate: Arm; readonly stable: Arm };
}

/** A row of a list of runs or rollouts. */
export interface Row {
  readonly id: string;
  readonly model: string;
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly because?: string;
  readonly version?: number;
  readonly stable?: number;
  readonly trigger?: string;
  readonly dataset?: string;
  /** Only of a rollback. */
  readonly kind?: string;
}

export interface Happened {
  readonly position: number;
  readonly event: {
    readonly id: string;
    readonly source: string;
    readonly type: string;
    readonly subject: string;
    readonly time: string;
    readonly data: never;
  };
}

export interface Plan {
  readonly data: { readonly bucket: string; readonly prefix: string };
}

/** The version that waits for somebody's approval. */
export const asksFor = ({ offered, approval }: ModelRow): number | undefined =>
  approval === 'pending' ? offered : undefined;
