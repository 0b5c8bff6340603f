// The README's tables of calls: which calls each port of a cloud makes, and who answered them in the last run of the suites.
// `node test/emulators/fidelity.ts` writes them, `--check` fails when they are not what the suites have just shown.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { callsOf as callsOfAws } from '../../infra/aws/topology/calls.ts';
import { callsOf as callsOfAzure } from '../../infra/azure/topology/calls.ts';
import { callsOf as callsOfGcp } from '../../infra/gcp/topology/calls.ts';
import { replaceBlock } from '../../scripts/docs.ts';
import { azureCall } from './azure/fidelity-calls.ts';
import { paths } from './installed.ts';

const page = join(import.meta.dirname, '..', '..', 'docs', 'fidelity.md');
const emulators: Readonly<Record<string, string>> = {
  moto: 'moto',
  'dynamodb-local': 'DynamoDB Local',
  'fake-gcs-server': 'fake-gcs-server',
  azurite: 'Azurite',
};

const ours = 'a fake of ours';

interface Suite {
  readonly suite: string;
  readonly calls: Readonly<Record<string, Readonly<Record<string, { readonly answered: number }>>>>;
  /** By call: whose description has checked it. */
  readonly checkedBy?: Readonly<Record<string, string>>;
}

interface Cloud {
  /** The block of the README. */
  readonly block: string;
  readonly head: string;
  /** Who has checked the request and the answer of a call. */
  checkedBy(call: string): string;
  readonly callsOf: Readonly<Record<string, readonly { readonly call: string }[]>>;
  /** The cloud's calls, where suites send nothing but what ports send: one that no port lists lacks its permission. */
  readonly listed?: RegExp;
  /** One name for a call that suites and ports name differently. */
  nameOf?(call: string): string;
}

/** They call the checks and the fakes themselves: no adapter has sent what they sent. */
const ofTheChecks = /^(gcp|azure)-(checks|fake)/;

const suites = readdirSync(paths.calls)
  .filter((file) => !ofTheChecks.test(file))
  .map((file) => JSON.parse(readFileSync(join(paths.calls, file), 'utf8')) as Suite);

/** Sent by a request of our own instead of the SDK: no recorder has seen it. */
const byHand = new Set(['ssm:GetParameter', 'ssm:GetParameters']);
const checkers = new Map(suites.flatMap(({ checkedBy = {} }) => Object.entries(checkedBy)));
const azureCheckers = new Map([...checkers].map(([call, by]) => [azureCall(call), by]));

const clouds: readonly Cloud[] = [
  {
    block: 'calls',
    head: 'request and answer by botocore',
    checkedBy: (call) => (byHand.has(call) ? 'the request, by hand' : 'yes'),
    callsOf: callsOfAws,
  },
  {
    block: 'calls-gcp',
    head: "request and answer by Google's",
    checkedBy: (call) => checkers.get(call) ?? 'nobody',
    callsOf: callsOfGcp,
    listed: /^\w+(\.\w+)+$/,
  },
  {
    block: 'calls-azure',
    head: "request and answer by Microsoft's",
    checkedBy: (call) => azureCheckers.get(azureCall(call)) ?? 'nobody',
    callsOf: callsOfAzure,
    nameOf: azureCall,
    listed: /^(GET|PUT|POST|PATCH|DELETE) |^(blob|table):/,
  },
];

/** By call: the names of those who have answered it at least once. */
function answerers(nameOf: (call: string) => string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { calls } of suites)
    for (const [call, by] of Object.entries(calls))
      for (const [who, { answered }] of Object.entries(by))
        if (answered > 0) found.set(nameOf(call), (found.get(nameOf(call)) ?? new Set()).add(emulators[who] ?? ours));
  return found;
}

const asItIs = (call: string): string => call;

/** What was sent and is in no port's list. */
function unlisted({ callsOf, listed, nameOf = asItIs }: Cloud): readonly string[] {
  const known = new Set(Object.values(callsOf).flatMap((calls) => calls.map(({ call }) => nameOf(call))));
  return [...answerers(asItIs).keys()].filter((call) => listed?.test(call) && !known.has(nameOf(call)));
}

function table(cloud: Cloud): { readonly text: string; readonly missing: readonly string[] } {
  const { callsOf, checkedBy, head, nameOf = asItIs } = cloud;
  const known = answerers(nameOf);
  const missing: string[] = [];
  const rows = Object.entries(callsOf).flatMap(([port, calls]) => {
    const groups = Map.groupBy(calls, ({ call }) => {
      // Emulators first: they are others' work.
      const who = [...(known.get(nameOf(call)) ?? [])].sort((a, b) => Number(a === ours) - Number(b === ours));
      if (who.length === 0) missing.push(`${port}: ${call}`);
      return `${checkedBy(call)} | ${who.join(', ')}`;
    });
    return [...groups].map(
      ([shown, of]) => `| ${port} | ${of.map(({ call }) => `\`${call}\``).join(', ')} | ${shown} | unproven |`,
    );
  });
  const heads = [`| port | call | ${head} | answered by | live |`, '|---|---|---|---|---|'];
  return { text: [...heads, ...rows].join('\n'), missing };
}

const tables = clouds.map((cloud) => ({ block: cloud.block, ...table(cloud) }));
const before = readFileSync(page, 'utf8');
const after = tables.reduce(
  (text, { block, text: content }) => replaceBlock(text, block, 'test/emulators/fidelity.ts', content),
  before,
);
const missing = tables.flatMap((made) => made.missing);
for (const call of missing) process.stderr.write(`no suite has sent ${call}\n`);
const extra = clouds.flatMap(unlisted);
for (const call of extra) process.stderr.write(`no port lists ${call}, which a suite has sent: add it to calls.ts\n`);
const isWhole = missing.length + extra.length === 0;
if (process.argv.includes('--check')) {
  if (after !== before)
    process.stderr.write('a table of calls in docs/fidelity.md is out of date: node test/emulators/fidelity.ts\n');
  process.exitCode = after === before && isWhole ? 0 : 1;
} else {
  writeFileSync(page, after);
  process.exitCode = isWhole ? 0 : 1;
}
