import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, type Code } from '../bundle.ts';
import { settingsOf } from '../topology.ts';
import { serin } from './aws.ts';
import type { Platform } from './pulumi.ts';

interface Project {
  readonly root: string;
  readonly stage: string;
  /** Absent: bundled now. */
  readonly code?: Code;
}

/** The installation that `serin.aws.json` beside `sst.config.ts` describes; its environment is the stage. */
export function installed(platform: Platform, { root, stage, code }: Project) {
  const file = 'serin.aws.json';
  const settings = settingsOf(file, JSON.parse(readFileSync(join(root, file), 'utf8')), stage);
  return serin(platform, settings, code ?? bundle(root));
}
