import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measure } from './measure.ts';
import { writeCsv } from './profile-data.ts';

interface Run {
  readonly profiled: number;
  readonly counted: number;
  /** The same with counts by weekday, hour and day. */
  readonly byDay: number;
  readonly batches: number;
  readonly batchesByDay: number;
  readonly lines: number;
  readonly megabytes: number;
  /** Megabytes of the process before it reads anything, and at most. */
  readonly empty: number;
  readonly peak: number;
}

/** A CSV profiled in full and counted on cells, on one core, in a process of its own. */
export async function benchProfile(quick: boolean): Promise<readonly Measure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'serin-profile-'));
  const run = (name: string, texts: boolean): Run => {
    const path = join(folder, name);
    writeCsv(path, quick ? 100_000 : 700_000, texts);
    return JSON.parse(execFileSync(process.execPath, [script, path], { encoding: 'utf8' })) as Run;
  };
  try {
    const [mixed, texts] = [run('mixed.csv', false), run('texts.csv', true)];
    return [
      profileRow('a CSV of numbers, texts and times profiled in full', 6, mixed),
      profileRow('a CSV of texts only profiled in full', 3, texts),
      {
        what: 'a CSV of numbers, texts and times counted on frozen cells',
        goal: 'none',
        got: `${mixed.counted.toFixed(1)} M values a second of CPU`,
        beside: `by day as well: ${mixed.byDay.toFixed(1)} M; ${besideText(mixed)}`,
        met: true,
      },
      {
        what: 'numbers counted on 256 frozen cells, in batches',
        goal: '>= 40 M values a second of CPU',
        got: `${mixed.batches.toFixed(0)} M`,
        beside: `by day as well, half of the values being times: ${mixed.batchesByDay.toFixed(0)} M; with reading and parsing a CSV: ${mixed.counted.toFixed(1)} M`,
        met: mixed.batches >= 40,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const script = fileURLToPath(new URL('profile-run.ts', import.meta.url));

const besideText = ({ lines, megabytes }: Run): string =>
  `only reading its ${megabytes.toFixed(0)} MB and counting lines: ${lines.toFixed(0)} MB a second of CPU`;

const profileRow = (what: string, goal: number, run: Run): Measure => ({
  what,
  goal: `>= ${goal} M values a second of CPU, in 128 MB`,
  got: `${run.profiled.toFixed(1)} M, ${run.peak.toFixed(0)} MB resident at most (${run.empty.toFixed(0)} MB before the first byte)`,
  beside: besideText(run),
  met: run.profiled >= goal && run.peak <= 128,
});
