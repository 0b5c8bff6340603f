import { shortId } from '@serin/core/base/ids';
import { grouped } from '@serin/core/base/numbers';
import type { Certificate } from '@serin/core/judge/certificate';
import { barsOf } from '../bars.ts';
import { certificateLines } from '../certificate-text.ts';
import { table } from '../table.ts';
import { paragraph, widthOf } from '../width.ts';

/** One drop, run or push, and what became of it. */
export interface Release {
  readonly dataset: string;
  readonly datasetVersion: string;
  readonly version: number;
  readonly verdict: string;
  readonly outcome: 'promoted' | 'refused' | 'rolledBack';
  readonly because: string;
  /** Absent when the gate refused it. */
  readonly rollout?: string;
}

/** A rollout that was judged again from the journal. */
interface Checked {
  readonly rollout: string;
  readonly readings: number;
  readonly problems: readonly string[];
}

export interface Facts {
  readonly promotion?: Certificate;
  readonly rollback?: Certificate;
  readonly verified: Checked;
  /** The same, with one count of one tick changed. */
  readonly changed: Checked;
  readonly releases: readonly Release[];
  readonly drift: {
    readonly column: string;
    /** Of the requests before, and of those in which it was found. */
    readonly years: readonly [before: number, now: number];
    /** Between the training data and the requests: of the window before, in the incident, and of the window after it. */
    readonly sizeBefore: number;
    readonly size: number;
    readonly sizeAfter: number;
    /** From what size on the config of the demo calls it drift. */
    readonly limit: number;
    /** What started the run that followed. */
    readonly trigger: string;
    /** Shares of the rows by value, in the training data and in the window in which it was found. */
    readonly training: readonly number[];
    readonly live: readonly number[];
  };
  /** What served since when. */
  readonly served: readonly { readonly at: string; readonly version?: number; readonly because: string }[];
  readonly trainingJobsOfKilledRun: number;
  readonly requests: { readonly sent: number; readonly failed: number };
  readonly seconds: number;
  /** Resident memory of all processes of the demo together, at its highest. */
  readonly peakMb: number;
}

/** The facts as a person reads them, in lines of at most `width` columns. */
export function report(
  {
    releases,
    drift,
    trainingJobsOfKilledRun,
    requests,
    seconds,
    peakMb,
    promotion,
    rollback,
    verified,
    changed,
  }: Facts,
  problems: readonly string[],
  width: number,
): readonly string[] {
  const back = releases.filter(({ outcome }) => outcome === 'rolledBack');
  const lines = [
    '',
    ...tableOf(releases, width),
    '',
    ...driftLines(drift, releases),
    '',
    'Rolled back by itself:',
    ...back.map(({ dataset, version, because }) => `  v${version} (${dataset}): ${because}`),
    '',
    'The certificate of the failing candidate:',
    ...shortCertificate(rollback),
    'The certificate of the last promotion:',
    ...shortCertificate(promotion),
    '',
    `serin rollouts verify ${shortId(verified.rollout)}: ${verified.readings} readings judged again, ${verified.problems.length === 0 ? 'all counts and the verdict are the same' : 'they differ'}`,
    `The same with one count changed: ${changed.problems[0] ?? 'nothing was found'}`,
    '',
    `After the kill -9: training jobs started: ${trainingJobsOfKilledRun}`,
    `${grouped(requests.sent)} predictions sent, ${grouped(requests.failed)} failed: the failing candidate's share, and those of the kill`,
    `${seconds} s, ${peakMb} MB at the highest`,
    '',
    ...(problems.length === 0 ? [] : ['Not as it should be:', ...problems.map((problem) => `  ${problem}`), '']),
  ];
  return lines.flatMap((line) => (widthOf(line) <= width ? [line] : paragraph(line, { width })));
}

function driftLines(
  { column, years, size, sizeBefore, sizeAfter, limit, training, live }: Facts['drift'],
  releases: readonly Release[],
): readonly string[] {
  const { version = 0, outcome = '' } = releases.find(({ dataset }) => dataset === 'drift') ?? {};
  return [
    'Drift, found in the requests (0: as in the training data, 1: nothing alike):',
    `  ${column} ${sizeBefore.toFixed(2)} in ${years[0]}, ${size.toFixed(2)} in ${years[1]}; ${limit} or more started a run`,
    `    in training ${barsOf(training, plotBars)}`,
    `    in requests ${barsOf(live, plotBars)}`,
    `  v${version} of that run was ${outcome}; against its data it is ${sizeAfter.toFixed(2)}: the drift is over`,
  ];
}

const plotBars = 32;

function tableOf(releases: readonly Release[], width: number): readonly string[] {
  let serving = '-';
  const rows = releases.map(({ dataset, version, verdict, outcome }) => {
    if (outcome === 'promoted') serving = `v${version}`;
    const rollout = outcome === 'refused' ? '-' : outcome;
    return { dataset, version: `v${version}`, rollout, serving, gate: shortVerdict(verdict) };
  });
  const columns = { DROP: 'dataset', VERSION: 'version', ROLLOUT: 'rollout', SERVES: 'serving', GATE: 'gate' };
  return table(rows, columns, { width, paint: (_, text) => text })
    .trimEnd()
    .split('\n');
}

const shortVerdict = (verdict: string): string =>
  verdict
    .replace(/ against (\S+) of the champion (v\d+), (?:not )?within \S+$/, ', $2 has $1')
    .replaceAll(/\d+\.\d{4,}/g, (number) => String(Number(Number(number).toPrecision(3))))
    .replace('passed: no champion to compare with yet', 'passed: the first version');

/** The sentence, the odds and the counts; what was assumed is named by its number. */
function shortCertificate(certificate: Certificate | undefined): readonly string[] {
  const lines = certificateLines(certificate).filter((line) => !line.startsWith('  assumed: '));
  const assumed = certificate?.conditions.length ?? 0;
  return [
    ...lines.map((line) => `  ${line}`),
    `    ${assumed} assumptions: serin why births@${certificate?.candidate ?? ''}`,
  ];
}
