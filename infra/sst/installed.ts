import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, type Code } from '../bundle.ts';
import type { Settings } from '../topology.ts';
import { serin } from './aws.ts';
import type { Platform } from './pulumi.ts';

interface Project {
  readonly root: string;
  readonly stage: string;
  /** Absent: bundled now. */
  readonly code?: Code;
}

/** The installation that `serin.aws.json` beside `sst.config.ts` describes: the fields of `Settings` but the environment, which is the stage. */
export function installed(platform: Platform, { root, stage, code = bundle(root) }: Project) {
  // What AWS would refuse of it, `topology` refuses.
  const settings = JSON.parse(readFileSync(join(root, 'serin.aws.json'), 'utf8')) as Omit<Settings, 'environment'>;
  return serin(platform, { ...settings, environment: stage }, code);
}
