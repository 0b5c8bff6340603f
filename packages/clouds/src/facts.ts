import type { CompiledConfig } from '@serin/core/config/config';
import type { Part } from '@serin/core/config/parts';
import type { Platform } from '@serin/core/config/platforms';
import type { ConfigProblem } from '@serin/core/config/problems';
import type { InstanceType, InstanceTypes } from './instance-types.ts';
import type { CloudLimit } from './limits.ts';
import type { Prices } from './prices.ts';

export type Cloud = Exclude<Platform, 'local'>;

/** What the vendor of a cloud says of it, as data. A cloud is a folder beside this file, and a row in `clouds.ts`. */
export interface CloudFacts {
  readonly cloud: Cloud;
  /** What a deployment wants there. */
  readonly deploys: {
    readonly credentials: Credentials;
    /** Where endpoints stand that go on serving when an installation is destroyed. */
    readonly endpoints: string;
  };
  /** What the name of an image looks like there, for a config that has none yet. */
  readonly imageName: string;
  readonly instanceTypes: InstanceTypes;
  /** Of a model's plan. */
  readonly limits: readonly CloudLimit[];
  /**
   * Everything in a config that this cloud cannot do, each with its place and the reason; empty: nothing is known.
   *
   * What is valid here and fails there is found before anything is paid for. The config is the one compiled for the cloud.
   */
  readonly problemsOf: (config: CompiledConfig) => readonly ConfigProblem[];
  readonly quotas: Quotas;
  readonly prices: Prices;
  readonly places: Places;
}

/** What the vendor counts instances against before it gives any. */
export interface Quotas {
  /** Where they are looked up and raised, and what a new account has. */
  readonly where: string;
  /** The quota of a part's instances, and how many units of it one instance takes; `undefined`: nobody says which. */
  readonly of: (
    part: Pick<Part, 'use' | 'spot'>,
    type: InstanceType,
  ) => { readonly quota: string; readonly each: number } | undefined;
  /** Instances of an endpoint that are counted at once at most, while it is updated. */
  readonly atUpdate: (instances: number, type: InstanceType) => number;
  /** The same in words. */
  readonly atUpdateText: string;
}

/** What accounts and regions look like, and where the environment names them; whether there is such a one only the vendor can say. */
export interface Places {
  readonly account: Shape;
  readonly region: Shape;
  /** Variables of the environment that name the account or the region, the first one that is set. */
  readonly accountVariables: readonly string[];
  readonly regionVariables: readonly string[];
  /** Fields of the settings that keep both, and what to do without. Absent: whoever deploys says both each time. */
  readonly kept?: { readonly account: string; readonly region: string; readonly missing: string };
  /** What follows from a region for everything that is named there. */
  readonly partitionOf: (region: string) => Readonly<Record<string, string>>;
}

/** Where the vendor's own tools look for who somebody is. */
export interface Credentials {
  readonly variables: readonly string[];
  /** The file that a variable names, or the one in the home folder. */
  readonly file: { readonly variable: string; readonly path: string };
  /** What is missing, and how to mend it. */
  readonly missing: string;
}

interface Shape {
  readonly of: RegExp;
  readonly mend: string;
}
