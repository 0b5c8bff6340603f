import { readFileSync } from 'node:fs';
import process from 'node:process';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Settings } from '../topology.ts';
import { Serin } from './serin.ts';

/**
 * One stack with one installation, checked by cdk-nag: `cdk deploy --app 'node cdk/app.ts settings.json'`.
 *
 * The file has the fields of `Settings`. Run without the CDK's command it writes the templates into `cdk.out`.
 */
const [file] = process.argv.slice(2);
if (file === undefined)
  throw new Error('no settings: give a JSON file with the fields of Settings (topology/shapes.ts)');
const app = new App({
  outdir: process.argv[3] ?? 'cdk.out',
  context: { '@aws-cdk/core:validateAgainstDefaultRules': true },
});
// The file is checked by `topology`, which refuses names that AWS would refuse.
const settings = JSON.parse(readFileSync(file, 'utf8')) as Settings;
const stack = new Stack(app, `Serin-${settings.project}-${settings.environment}`, {
  description: `Serin ${settings.version}: ${settings.project} in ${settings.environment}`,
});
new Serin(stack, 'Serin', settings);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
