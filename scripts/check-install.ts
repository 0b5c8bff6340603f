// The root install of a newcomer: its size, and that nothing in it is an emulator or a cloud's SDK.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const limitMb = 500;
const mb = Number(execFileSync('du', ['-sm', join(root, 'node_modules')], { encoding: 'utf8' }).split('\t')[0]);
const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
const heavy = ['@aws-sdk/', '@google-cloud/', '@azure/', '@pulumi/', 'azurite'].filter((name) =>
  lock.includes(`node_modules/${name}`),
);
const hosts = [...lock.matchAll(/"resolved": "(https?:\/\/[^/"]+)/g)].map((match) => match[1]);
process.stdout.write(
  `install: ${mb} MB (limit ${limitMb}); cloud packages: ${heavy.join(', ') || 'none'}; hosts named in the lock file: ${new Set(hosts).size}\n`,
);
process.exitCode = mb <= limitMb && heavy.length === 0 && hosts.length === 0 ? 0 : 1;
