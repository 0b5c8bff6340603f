import { readFileSync } from 'node:fs';
import process from 'node:process';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { settingsOf } from '../topology.ts';
import { Serin } from './serin.ts';

/**
 * One stack with one installation, checked by cdk-nag: `cdk deploy --app 'node cdk/app.ts settings.json'`.
 *
 * The file is what `readSettings` takes (topology/settings-file.ts), with its environment. Run without the CDK's command it writes the templates into `cdk.out`.
 */
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('no settings: give a JSON file, as infra/README.md has it');
const app = new App({
  outdir: process.argv[3] ?? 'cdk.out',
  context: { '@aws-cdk/core:validateAgainstDefaultRules': true },
});
const settings = settingsOf(file, JSON.parse(readFileSync(file, 'utf8')));
const stack = new Stack(app, `Serin-${settings.project}-${settings.environment}`, {
  description: `Serin ${settings.version}: ${settings.project} in ${settings.environment}`,
});
new Serin(stack, 'Serin', settings);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
