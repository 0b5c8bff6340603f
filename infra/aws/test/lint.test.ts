import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Settings } from '../topology.ts';
import { all, plain } from './settings.ts';
import { synthesized } from './synthesized.ts';
import type { Template } from './template-facts.ts';

const cfnLint = join(import.meta.dirname, '../.build/python/bin/cfn-lint');
const missing = existsSync(cfnLint) ? '' : ' (skipped: cfn-lint is not installed; npm run lint installs it)';
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('cfn-lint');
const linted = missing === '' || required ? test : test.skip;

const folder = mkdtempSync(join(tmpdir(), 'serin-lint-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What cfn-lint says of a template, checked for a region in which all of it can stand. */
function findingsIn(template: Template): string {
  const file = join(folder, 'template.json');
  writeFileSync(file, JSON.stringify(template));
  expect(execFileSync(cfnLint, ['--version'], { encoding: 'utf8' })).toMatch(/^cfn-lint \d/);
  return spawnSync(cfnLint, ['--regions', 'eu-west-1', '--', file], { encoding: 'utf8' }).stdout;
}

linted.each(Object.entries<Settings>(all))(`%s: cfn-lint finds nothing${missing}`, (_, settings) => {
  expect(findingsIn(synthesized(settings))).toBe('');
});

linted(`cfn-lint finds what is wrong${missing}`, () => {
  const template = synthesized(plain);
  const wrong = JSON.stringify(template).replace('"nodejs24.x"', '"nodejs1.x"');

  expect(findingsIn(JSON.parse(wrong) as Template)).toContain('nodejs1.x');
});
