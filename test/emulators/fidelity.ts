// The README's table of calls: which calls each port of AWS makes, and who answered them in the last run of the suites.
// `node test/emulators/fidelity.ts` writes it, `--check` fails when it is not what the suites have just shown.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { callsOf } from '../../infra/aws/topology/calls.ts';
import { replaceBlock } from '../../scripts/readme.ts';
import { paths } from './installed.ts';

const readme = join(import.meta.dirname, '..', '..', 'README.md');
const emulators: Readonly<Record<string, string>> = { moto: 'moto', 'dynamodb-local': 'DynamoDB Local' };

const ours = 'a fake of ours';

interface Suite {
  readonly calls: Readonly<Record<string, Readonly<Record<string, { readonly answered: number }>>>>;
}

/** Sent by a request of our own instead of the SDK: no recorder has seen it. */
const byHand = new Set(['ssm:GetParameter', 'ssm:GetParameters']);

/** By call: the names of those who have answered it at least once. */
function answerers(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of readdirSync(paths.calls)) {
    const { calls } = JSON.parse(readFileSync(join(paths.calls, file), 'utf8')) as Suite;
    for (const [call, by] of Object.entries(calls))
      for (const [who, { answered }] of Object.entries(by))
        if (answered > 0) found.set(call, (found.get(call) ?? new Set()).add(emulators[who] ?? ours));
  }
  return found;
}

function table(): { readonly text: string; readonly missing: readonly string[] } {
  const known = answerers();
  const missing: string[] = [];
  const rows = Object.entries(callsOf).flatMap(([port, calls]) => {
    const groups = Map.groupBy(calls, ({ call }) => {
      // Emulators first: they are others' work.
      const who = [...(known.get(call) ?? [])].sort((a, b) => Number(a === ours) - Number(b === ours));
      if (who.length === 0) missing.push(`${port}: ${call}`);
      return who.join(', ');
    });
    return [...groups].map(
      ([who, of]) =>
        `| ${port} | ${of.map(({ call }) => `\`${call}\``).join(', ')} | ${of.some(({ call }) => byHand.has(call)) ? 'the request, by hand' : 'yes'} | ${who} | unproven |`,
    );
  });
  const head = ['| port | call | request and answer by botocore | answered by | live |', '|---|---|---|---|---|'];
  return { text: [...head, ...rows].join('\n'), missing };
}

const { text, missing } = table();
const before = readFileSync(readme, 'utf8');
const after = replaceBlock(before, 'calls', 'test/emulators/fidelity.ts', text);
for (const call of missing) process.stderr.write(`no suite has sent ${call}\n`);
if (process.argv.includes('--check')) {
  if (after !== before)
    process.stderr.write('the table of calls in README.md is out of date: node test/emulators/fidelity.ts\n');
  process.exitCode = after === before && missing.length === 0 ? 0 : 1;
} else {
  writeFileSync(readme, after);
  process.exitCode = missing.length === 0 ? 0 : 1;
}
