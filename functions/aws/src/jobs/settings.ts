import type { Bucket } from '@serin/core/ports/bucket';
import { type Objects, placeBy } from '@serin/platform/jobs/artifacts';
import { type Installation, jobNameBy } from '@serin/platform/names';
import { sageMakerName } from '../names.ts';

export interface Vpc {
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
}

export const vpcConfig = ({ vpc }: { readonly vpc?: Vpc }) =>
  vpc === undefined ? {} : { VpcConfig: { Subnets: [...vpc.subnets], SecurityGroupIds: [...vpc.securityGroups] } };

/** What an installation says about all of its jobs. */
export interface JobSettings {
  readonly installation: Installation;
  readonly region: string;
  /** ARN of the role that the containers have. */
  readonly jobRole: string;
  /** The real name of the project's own bucket. */
  readonly ownBucket: string;
  readonly kmsKey?: string;
  readonly vpc?: Vpc;
  /** For jobs without an image: a stock image of Node. */
  readonly nodeImage: string;
}

/** As `bucketsBy` makes them. */
export type Buckets = (name: string) => Bucket;

/**
 * Names of jobs are never free again in an account and region, which makes them the idempotency key. ARNs have names in
 * lower case, and permissions are given by ARN.
 */
export const jobName = jobNameBy(sageMakerName);

/** Where in the own bucket a job leaves what it made, and finds what it starts with. */
export const jobPrefix = (name: string): string => `jobs/${name}`;

/** What starts a job: where no job may write, or one could change what the next one runs. */
export const startKey = (name: string): string => `starts/${name}/start.sh`;

export const s3Uri = (bucket: string, key: string): string => `s3://${bucket}/${key}`;

export const s3Place = placeBy('s3');

/** What lies in S3, by its URI as well. */
export const s3Objects = (buckets: Buckets): Objects => ({ buckets, placeOf: s3Place });
