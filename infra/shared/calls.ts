import type { FunctionId } from './shapes.ts';

/** A permission, and the things of a cloud that it is needed on. */
export interface NeedOn<On extends string> {
  readonly action: string;
  readonly on: readonly On[];
}

/** A call that a port makes, as its cloud names it, with all that whoever makes it must be allowed. */
export interface CallOf<Need> {
  readonly call: string;
  readonly why: string;
  readonly needs: readonly Need[];
}

export const callOf = <Need>(call: string, why: string, ...needs: readonly Need[]): CallOf<Need> => ({
  call,
  why,
  needs,
});

/** What each function does, in the words of the tables of calls; the same on each cloud. */
export const portsOf = {
  signals: ['journal', 'bucket', 'jobs', 'registry', 'serving', 'telemetry', 'bus', 'send', 'programSecrets'],
  api: ['journal', 'releases', 'bus', 'jobLogs', 'send', 'secrets'],
  clock: ['due', 'send'],
  deadLetters: ['journal'],
} as const satisfies Readonly<Record<FunctionId, readonly string[]>>;

export type PortName = (typeof portsOf)[FunctionId][number];

/** The folders of the own bucket or container: whoever may touch one of them may not therefore touch another. */
export const ownFolders = [
  'captured',
  'checkpoints',
  'code',
  'configs',
  'datasets',
  'drift',
  'events',
  'jobs',
  'labels',
  'profiles',
  'references',
  'registry',
  'reports',
  'serving',
  'starts',
] as const;
export type OwnFolder = (typeof ownFolders)[number];
