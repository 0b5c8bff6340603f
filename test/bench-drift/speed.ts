import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCsv } from '../bench/profile-data.ts';
import { run } from './installed.ts';

/** Million values a second of the processor, and megabytes resident at most. */
export interface Pace {
  readonly perSecond: number;
  readonly megabytes: number;
}
export interface Speed {
  readonly counted: Pace;
  readonly judgedMs: number;
  readonly csv: Pace;
  readonly texts: Pace;
  /** Absent without pandas, which writes the file. */
  readonly parquet?: Pace;
  /** Megabytes of the CSV that all read. */
  readonly fileMegabytes: number;
  readonly others: Readonly<Record<string, Pace | undefined>>;
}

const scriptOf = (path: string): string => join(import.meta.dirname, path);
const nodeRun = (script: string, ...given: readonly string[]): Readonly<Record<string, number>> =>
  JSON.parse(execFileSync(process.execPath, [scriptOf(script), ...given], { encoding: 'utf8' })) as Record<
    string,
    number
  >;

export function measureSpeed(rows: number): Speed {
  const folder = mkdtempSync(join(tmpdir(), 'serin-drift-speed-'));
  try {
    const [mixed, texts] = [join(folder, 'mixed.csv'), join(folder, 'texts.csv')];
    writeCsv(mixed, rows);
    writeCsv(texts, rows, true);
    const live = nodeRun('speed-run.ts');
    const profile = (path: string): Pace => {
      const { profiled = 0, peak = 0 } = nodeRun('../bench/profile-run.ts', path);
      return { perSecond: profiled, megabytes: peak };
    };
    const parquet = join(folder, 'mixed.parquet');
    const hasParquet = run('pandas', ['parquet', mixed, parquet]) !== undefined;
    const ofParquet = hasParquet ? paceOf(nodeRun('../bench/parquet-reading.ts', 'profile', parquet)) : undefined;
    return {
      counted: { perSecond: live.counted ?? 0, megabytes: live.rss ?? 0 },
      judgedMs: live.judged ?? 0,
      csv: profile(mixed),
      texts: profile(texts),
      ...(ofParquet === undefined ? {} : { parquet: ofParquet }),
      fileMegabytes: statSync(mixed).size / 1e6,
      others: {
        'pandas 3.1.1, `read_csv` and `describe(include="all")`': paceOf(run('pandas', ['pandas_speed', mixed])),
        'pandas 3.1.1, `read_parquet` and `describe(include="all")`, as Parquet': hasParquet
          ? paceOf(run('pandas', ['pandas_speed', parquet]))
          : undefined,
        'whylogs 1.6.4, `read_csv` and `log`': paceOf(run('whylogs', ['whylogs_speed', mixed])),
        'Evidently 0.7.23, `read_csv` and `DataSummaryPreset`': paceOf(run('evidently', ['evidently_speed', mixed])),
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function paceOf(found: unknown): Pace | undefined {
  if (typeof found !== 'object' || found === null) return undefined;
  const {
    values = 0,
    seconds = 1,
    megabytes = 0,
  } = found as Partial<Record<'values' | 'seconds' | 'megabytes', number>>;
  return { perSecond: values / seconds / 1e6, megabytes };
}
