/**
 * What the commands print of an installation, on any cloud: `plan`, `deploy` and `destroy` read no more of a topology.
 *
 * The command takes these types and none of infra's code, so this file imports nothing.
 */
export interface Topology {
  readonly functions: readonly PlannedFunction[];
  /** All else that is deployed, in the order in which it is listed. */
  readonly resources: readonly Resource[];
  /** What jobs and models run as. */
  readonly jobRole: Role;
  readonly modelRole: Role;
  /** What anybody else is granted: who calls the functions, and services of the cloud. */
  readonly alsoGranted?: readonly AlsoGranted[];
  /** Names of what the functions count: each is paid for by the hour in which it is counted. */
  readonly metrics: readonly string[];
  readonly byHand: readonly ByHand[];
  readonly costsAtRest: readonly CostAtRest[];
  /** What stays when the installation is destroyed. */
  readonly stays: readonly string[];
  /** What can be done with that, later. */
  readonly later: readonly string[];
}

export interface AlsoGranted {
  readonly who: string;
  readonly what: string;
  readonly on: string;
  readonly why: string;
}

export interface PlannedFunction {
  readonly id: string;
  readonly name: string;
  readonly does: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly role: Role;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly trigger: { readonly kind: string; readonly queue?: string; readonly schedule?: { readonly rate: string } };
}

export interface Resource {
  readonly kind: string;
  readonly name: string;
  readonly says?: string;
}

export interface Role {
  readonly name: string;
  readonly grants: readonly Grant[];
}

/** One permission, and the call that needs it. */
export interface Grant {
  readonly call: string;
  readonly why: string;
  readonly action: string;
  readonly resources: readonly string[];
  readonly when?: unknown;
}

/** What no tool does for the owner, with the command. */
export interface ByHand {
  readonly what: string;
  readonly command: string;
}

/** What is paid while nothing happens, as quantities; prices are the reader's. */
export interface CostAtRest {
  readonly service: string;
  readonly unit: string;
  readonly perMonth: number;
  readonly why: string;
}

/** Where a tool keeps the state of one installation for a team, on a cloud in which the tool itself keeps none. */
export interface TeamState {
  /** Holds it for one deployment, and fetches it. Throws while somebody else holds it. */
  begin(): Promise<void>;
  /** Brings it back, and lets others deploy. */
  end(): Promise<void>;
}

export interface StateOf {
  readonly account: string;
  /** As the tool names the installation: `serin-shop`, `prod`. */
  readonly app: string;
  readonly stage: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `deploy` or `destroy`. */
  readonly command: string;
  readonly say: (text: string) => void;
}

/** The functions of an installation, on each cloud. */
export type FunctionId = 'signals' | 'api' | 'clock' | 'deadLetters';
