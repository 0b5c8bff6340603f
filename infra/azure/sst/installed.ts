import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { refusal } from '../../shared/fields.ts';
import { bundle, type Code } from '../bundle.ts';
import { tokenOf } from '../login.ts';
import { publish } from '../publish.ts';
import { settingsOf } from '../topology.ts';
import { serin } from './azure.ts';
import type { Around, Platform } from './pulumi.ts';

interface Project extends Partial<Pick<Around, 'publish'>> {
  readonly root: string;
  readonly stage: string;
  /** Absent: bundled now. */
  readonly code?: Code;
}

/** The installation that `serin.azure.json` beside `sst.config.ts` describes; its environment is the stage. */
export function installed(platform: Platform, { root, stage, code, publish = publishAsMe }: Project) {
  const file = 'serin.azure.json';
  const settings = settingsOf(file, JSON.parse(readFileSync(join(root, file), 'utf8')), stage);
  const { subscription, region } = settings;
  if (subscription === undefined || region === undefined)
    throw refusal(`${file} cannot be deployed`, [
      "subscription or region is missing: set AZURE_SUBSCRIPTION_ID and AZURE_LOCATION, and run 'serin deploy --cloud azure'",
    ]);
  return serin(platform, settings, { account: subscription, region, code: code ?? bundle(root), publish });
}

/** Under whoever deploys. A test puts another server in the place of the sites, where `{name}` is the app. */
async function publishAsMe(host: string, zip: Uint8Array): Promise<void> {
  const site = process.env.SERIN_ENDPOINT_SITE?.replace('{name}', host.split('.')[0] ?? '') ?? `https://${host}`;
  await publish({ site, zip, token: await tokenOf(process.env, 'https://management.azure.com/') });
}
