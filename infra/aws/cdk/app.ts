import { readFileSync } from 'node:fs';
import process from 'node:process';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { type Settings, settingsOf } from '../topology.ts';
import { Serin } from './serin.ts';

/**
 * One stack with one installation, checked by cdk-nag: `cdk deploy --app 'node cdk/app.ts settings.json'`.
 *
 * The file is what `readSettings` takes (topology/settings.ts), with its environment. Run without the CDK's command it writes the templates into `cdk.out`.
 */
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('there are no settings; give a JSON file as in infra/aws/README.md');
const app = new App({
  outdir: process.argv[3] ?? 'cdk.out',
  context: { '@aws-cdk/core:validateAgainstDefaultRules': true },
});
const settings = read(file);
const stack = new Stack(app, `Serin-${settings.project}-${settings.environment}`, {
  description: `Serin ${settings.version}: ${settings.project} in ${settings.environment}`,
});
new Serin(stack, 'Serin', settings);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();

/** What is wrong with the file is all that is said: it is the file that must be mended, not this program. */
function read(name: string): Settings {
  try {
    return settingsOf(name, JSON.parse(readFileSync(name, 'utf8')));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
