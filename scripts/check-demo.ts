// Reads the document that `npm start -- --json` printed and says whether the demo showed what it promises.
import { readFileSync } from 'node:fs';
import births from '../examples/births/serin.config.ts';

interface Facts {
  readonly releases: readonly { readonly dataset: string; readonly outcome: string; readonly because: string }[];
  readonly served: readonly unknown[];
  readonly trainingJobsOfKilledRun: number;
  readonly seconds: number;
  readonly peakMb: number;
  readonly problems: readonly string[];
  readonly drift: {
    readonly column: string;
    readonly sizeBefore: number;
    readonly size: number;
    readonly sizeAfter: number;
    readonly trigger: string;
  };
  readonly rollback?: { readonly verdict: string };
  readonly changed: { readonly problems: readonly string[] };
}

const facts = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Facts;
const { column, sizeBefore, size, sizeAfter, trigger } = facts.drift;
const { major } = births.models.births.monitor.drift;
const count = (outcome: string) => facts.releases.filter((release) => release.outcome === outcome).length;
// Time and memory are printed beside their limits, and not asserted: the machine of a check is not the reader's.
process.stdout.write(
  `demo: ${count('promoted')} promoted, ${count('refused')} refused, ${count('rolledBack')} rolled back; ` +
    `drift of ${column} by ${size.toFixed(2)} started a run; ${facts.seconds} s (limit 60), ${facts.peakMb} MB (limit 300)\n`,
);
const wrong = [
  ...facts.problems,
  ...(facts.releases.length === 16
    ? []
    : [`${facts.releases.length} releases, 13 drops, one by drift, a sabotage and a push were to be`]),
  ...(column === 'lastWeek' && trigger === 'drift' ? [] : [`drift of ${column} started a run by ${trigger}`]),
  ...(sizeBefore < major && size >= major && sizeAfter < major
    ? []
    : [`drift of ${sizeBefore}, then ${size}, then ${sizeAfter}; only the second was to be ${major} or more`]),
  ...(facts.rollback?.verdict === 'rollback' ? [] : ['the failing candidate has no rollback certificate']),
  ...(facts.changed.problems.length > 0 ? [] : ['a changed count was not found']),
  ...(facts.releases.every(({ because }) => because !== '') ? [] : ['a release without a reason']),
];
for (const problem of wrong) process.stdout.write(`demo: ${problem}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
