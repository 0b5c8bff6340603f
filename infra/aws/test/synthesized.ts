import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Serin } from '../cdk/serin.ts';
import type { Settings } from '../topology.ts';
import type { Template } from './template-facts.ts';

/** Synthesizes as a deployment would, without network; throws when cdk-nag or the CDK's own rules find anything. */
export function synthesized(settings: Settings, change: (stack: Stack) => void = () => {}): Template {
  const folder = mkdtempSync(join(tmpdir(), 'serin-synth-'));
  try {
    // Stands for the bundles: what is in them is proven where they are run.
    const bundle = join(folder, 'bundle');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'index.cjs'), 'exports.handler = () => {};\n');
    const app = new App({
      outdir: join(folder, 'out'),
      analyticsReporting: false,
      context: { '@aws-cdk/core:validateAgainstDefaultRules': true },
    });
    const stack = new Stack(app, 'Stack');
    const code = { signals: bundle, api: bundle, clock: bundle, deadLetters: bundle };
    new Serin(stack, 'Serin', { ...settings, code });
    change(stack);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
    return JSON.parse(readFileSync(join(folder, 'out', 'Stack.template.json'), 'utf8')) as Template;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
