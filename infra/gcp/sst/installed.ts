import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { refusal } from '../../shared/fields.ts';
import { bundle, type Code } from '../bundle.ts';
import { settingsOf } from '../topology.ts';
import { serin } from './gcp.ts';
import type { Platform } from './pulumi.ts';

interface Project {
  readonly root: string;
  readonly stage: string;
  /** Absent: bundled now. */
  readonly code?: Code;
}

/** The installation that `serin.gcp.json` beside `sst.config.ts` describes; its environment is the stage. */
export function installed(platform: Platform, { root, stage, code }: Project) {
  const file = 'serin.gcp.json';
  const settings = settingsOf(file, JSON.parse(readFileSync(join(root, file), 'utf8')), stage);
  const { googleProject, region } = settings;
  if (googleProject === undefined || region === undefined)
    throw refusal(`${file} cannot be deployed`, [
      "googleProject or region is missing: set GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_REGION, and run 'serin deploy --cloud gcp'",
    ]);
  return serin(platform, settings, { account: googleProject, region, code: code ?? bundle(root) });
}
