#!/usr/bin/env node
// Runs under any Node from 18 on: below 24 it hands over to the Node 24 that npm installed beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const place = dirname(fileURLToPath(import.meta.url));
const source = join(place, '..', 'src', 'main.ts');
const inRepository = existsSync(source);

if (Number(process.versions.node.split('.')[0]) >= 24) {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const { main } = await import(inRepository ? '../src/main.ts' : '../dist/main.js');
  process.exitCode = await main();
} else {
  const node = findNode(place);
  if (node === undefined) refuse();
  else handOver(node);
}

/** `node_modules/node/bin/node`, in this folder or one above. */
function findNode(folder) {
  const candidate = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(candidate)) return candidate;
  return dirname(folder) === folder ? undefined : findNode(dirname(folder));
}

function refuse() {
  const [why, mend] = inRepository
    ? [
        'the repository brings Node 24 as the dev dependency "node", but its install script did not run',
        'npm rebuild node --ignore-scripts=false   (or install Node 24 yourself)',
      ]
    : ['Serin runs on Node 24', 'npm install --save-dev node@24   (or install Node 24 yourself)'];
  process.stderr.write(`serin: needs Node 24, this is ${process.version}\n  why:  ${why}\n  mend: ${mend}\n`);
  process.exitCode = 1;
}

function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; only one that was sent to this process alone has to be passed on.
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => (atTerminal ? undefined : child.kill('SIGINT')));
  child.on('error', (error) => {
    process.stderr.write(`serin: cannot start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
