import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Token } from 'aws-cdk-lib';
import { afterEach, expect, test } from 'vitest';
import { readSettings, settingsOf, topology } from '../topology.ts';
import { all, fileOf, plain, where } from './settings.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** All that is wrong with these settings, as who deploys them is told. */
function refused(changes: object): string {
  try {
    topology({ ...plain, ...changes }, where);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}

const problemsOf = (file: unknown, stage?: string): readonly string[] => {
  const read = readSettings(file, stage);
  return 'problems' in read ? read.problems : [];
};

test.each([
  // What is not known is what somebody meant to close.
  ['a field in another case', { kmskey: all.isolated.kmsKey }, 'kmskey is no field: there are project, environment'],
  ['a field of every object', JSON.parse('{"__proto__": 1}'), '__proto__ is no field'],
  ['a network in another case', { network: 'Isolated' }, 'network is "Isolated": it must be \'isolated\', or'],
  ['a network without subnets', { network: { ...sized(0, 1) } }, 'network.subnets is []'],
  ['a network without security groups', { network: sized(2, 0) }, 'network.securityGroups is []'],
  ['a network with half of it', { network: { subnets: ['subnet-1'] } }, 'network.securityGroups is missing'],
  ['a network with more', { network: { ...sized(1, 1), vpc: 'x' } }, 'network.vpc is no field: there are subnets'],
  ['a network that is no text', { network: null }, 'network is null'],
  ['a key by its alias', { kmsKey: 'arn:aws:kms:eu-west-1:123456789012:alias/ours' }, 'and not of an alias'],
  ['a key that is empty', { kmsKey: '' }, 'kmsKey is "": it must be the ARN of a key'],
  ['a key that was never filled in', { kmsKey: undefined }, 'kmsKey is undefined'],
  ['a key of data by its alias', { dataKeys: ['alias/data'] }, 'dataKeys is ["alias/data"]: it must be a list of ARNs'],
  ['no key of data', { dataKeys: [] }, 'dataKeys is []'],
  ['all buckets for data', { dataBuckets: ['*'] }, 'dataBuckets is ["*"]: it must be a list of names of S3 buckets'],
  ['one bucket as a text', { dataBuckets: 'acme' }, 'dataBuckets is "acme"'],
  ['a text that is not true', { createDataBuckets: 'false' }, 'createDataBuckets is "false": it must be true or false'],
  ['a number that is not true', { alertTopic: 1 }, 'alertTopic is 1: it must be true or false'],
  ['all accounts for data', { dataAccounts: ['*'] }, 'dataAccounts is ["*"]'],
  ['all accounts for images', { imageAccounts: ['*'] }, 'imageAccounts is ["*"]'],
  ['no account for images', { imageAccounts: [] }, 'imageAccounts is []'],
  ['an image cache of an older file', { imageCache: 'exists' }, 'imageCache is no setting any more: take it out'],
  ['an API that nobody may call', { apiConcurrency: 0 }, 'apiConcurrency is 0: it must be a whole number from 1'],
  ['less than AWS gives anybody', { lambdaConcurrency: 9 }, 'lambdaConcurrency is 9'],
  ['logs for ever', { logDays: 0 }, 'logDays is 0: it must be one of 1, 3, 5, 7'],
  ['a queue to notify', { notify: 'arn:aws:sqs:eu-west-1:123456789012:q' }, 'it must be the ARN of an SNS topic'],
  ['no version', { version: '' }, 'version is "": it must be a version such as \'0.1.0\''],
])('%s is refused, with what is allowed', (_, changes, message) => {
  expect(refused(changes)).toContain(message);
});

test('all that is wrong is told at once, and no hash is told', () => {
  const message = refused({ environment: 'Prod', network: 'open', kmskey: 'x', adminTokenHash: 'srn_secret' });

  expect(message.split('\n').map((line) => line.trim())).toEqual([
    'these settings cannot be deployed:',
    expect.stringContaining('kmskey is no field'),
    'adminTokenHash must be the SHA-256 of a token, 64 hex digits',
    expect.stringContaining('network is "open"'),
    expect.stringContaining("the environment 'Prod' must be lower-case"),
  ]);
});

test('a required field that is missing is named', () => {
  const { dataBuckets: _, ...rest } = fileOf(plain);

  expect(problemsOf(rest, 'prod')).toEqual([
    'dataBuckets is missing: it must be a list of names of S3 buckets, each once',
  ]);
  expect(problemsOf(fileOf(plain))).toEqual(["environment is missing: it must be a name such as 'prod'"]);
  expect(problemsOf([])).toEqual(['it holds no object']);
});

test('what another construct of the same stack makes can be a key, a network or a topic', () => {
  const made = (name: string) => Token.asString({ Ref: name });
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  const subnets = Token.asList({ 'Fn::Split': [',', 'a,b'] });

  const settings = {
    kmsKey: made('Key'),
    notify: stack.formatArn({ service: 'sns', resource: 'oncall' }),
    network: { subnets, securityGroups: [made('Group')] },
  };

  expect(refused(settings)).toBe('');
});

test.each(Object.entries(all))(
  '%s: a file holds it, whether a stage or the file names its environment',
  (_, settings) => {
    const { environment } = settings;

    expect(settingsOf('serin.aws.json', fileOf(settings), environment)).toEqual(settings);
    expect(settingsOf('serin.aws.json', { ...fileOf(settings), environment })).toEqual(settings);
  },
);

test('the administrator of one environment is none of another', () => {
  const hashes = { dev: 'd'.repeat(64), prod: 'a'.repeat(64) };
  const file = { ...fileOf(plain), adminTokenHash: hashes };

  for (const stage of ['dev', 'prod'] as const)
    expect(settingsOf('serin.aws.json', file, stage).adminTokenHash).toBe(hashes[stage]);
  expect(problemsOf(file, 'test')).toEqual([
    "adminTokenHash has none for test, but for dev, prod: 'serin deploy' makes a token and its hash",
  ]);
  expect(problemsOf({ ...file, adminTokenHash: { dev: hashes.dev, prod: hashes.dev } }, 'prod')).toEqual([
    expect.stringContaining('adminTokenHash is the same for dev and prod'),
  ]);
});

test('a file with one hash for all environments is refused, with how to mend it', () => {
  const problems = problemsOf({ ...fileOf(plain), adminTokenHash: plain.adminTokenHash }, 'prod');

  expect(problems).toEqual([expect.stringContaining('{"prod": "<SHA-256 in hex>"}')]);
  expect(problems[0]).toContain('leave the others out');
  expect(problems[0]).not.toContain(plain.adminTokenHash);
});

test('a token where its hash should be is refused, and not repeated', () => {
  const problems = problemsOf({ ...fileOf(plain), adminTokenHash: { prod: 'srn_secret' } }, 'prod');

  expect(problems).toEqual([expect.stringContaining('adminTokenHash.prod must be a SHA-256')]);
  expect(problems[0]).not.toContain('srn_secret');
});

test('the CDK’s program makes nothing of a file that is wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'serin-settings-'));
  folders.push(folder);
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify({ ...fileOf(plain), environment: 'prod', network: 'Isolated' }));

  const { status, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, '../cdk/app.ts'), file, join(folder, 'out')],
    { encoding: 'utf8' },
  );

  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^${file} cannot be deployed:\n  network is "Isolated"[^\n]*\n$`));
});

function sized(subnets: number, securityGroups: number) {
  return {
    subnets: Array.from({ length: subnets }, (_, index) => `subnet-${index}`),
    securityGroups: Array.from({ length: securityGroups }, (_, index) => `sg-${index}`),
  };
}
