import type { Certificate } from '@serin/core/judge/certificate';
import { certificateLines } from '../certificate-text.ts';

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
  /** What served since when. */
  readonly served: readonly { readonly at: string; readonly version?: number; readonly because: string }[];
  readonly trainingJobsOfKilledRun: number;
  readonly requests: { readonly sent: number; readonly failed: number };
  readonly seconds: number;
  /** Resident memory of all processes of the demo together, at its highest. */
  readonly peakMb: number;
}

/** The facts as a person reads them. */
export function report(
  { releases, trainingJobsOfKilledRun, requests, seconds, peakMb, promotion, rollback, verified, changed }: Facts,
  problems: readonly string[],
  project: string,
): readonly string[] {
  let serving = '-';
  const rows = releases.map(({ dataset, datasetVersion, version, verdict, outcome }) => {
    if (outcome === 'promoted') serving = `v${version}`;
    return [
      dataset,
      datasetVersion,
      `v${version}`,
      shortVerdict(verdict),
      outcome === 'refused' ? '-' : outcome,
      serving,
    ];
  });
  const back = releases.filter(({ outcome }) => outcome === 'rolledBack');
  return [
    '',
    ...aligned([['drop', 'dataset', 'version', 'gate', 'rollout', 'serves'], ...rows]),
    '',
    'Rolled back by itself:',
    ...back.map(({ dataset, version, because }) => `  v${version} (${dataset}): ${because}`),
    '',
    'The certificate of the failing candidate:',
    ...certificateLines(rollback).map((text) => `  ${text}`),
    'The certificate of the last promotion:',
    ...certificateLines(promotion).map((text) => `  ${text}`),
    `serin rollouts verify ${verified.rollout}: ${verified.readings} readings judged again, ${verified.problems.length === 0 ? 'all counts and the verdict are the same' : 'they differ'}`,
    `the same with one count changed: ${changed.problems[0] ?? 'nothing was found'}`,
    ...changed.problems.slice(1, 3).map((problem) => `  ${problem}`),
    '',
    `After the kill -9: training jobs started: ${trainingJobsOfKilledRun}`,
    `${requests.sent} predictions sent, ${requests.failed} failed (the failing candidate's share, and those of the kill); ${seconds} s, ${peakMb} MB at the highest`,
    '',
    ...(problems.length === 0 ? [] : ['Not as it should be:', ...problems.map((problem) => `  ${problem}`), '']),
    `Look further:  cd ${project} && npx serin dev      then, in a second terminal there:  npx serin status   npx serin why births`,
  ];
}

const shortVerdict = (verdict: string): string =>
  verdict.replace(' of the champion', ' of').replace('passed: no criterion applied', 'passed: the first version');

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
