import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { random } from '../bench-judge/random.ts';
import { type Environment, run } from './installed.ts';
import { alarmsOf, mixedWorld, prepare } from './rule-cases.ts';
import type { Rows } from './world.ts';

/** Columns that alarm by the rule as it is written here, and by the package itself, window by window, on the same rows. */
export interface Beside {
  readonly package: string;
  readonly n: number;
  readonly m: number;
  readonly rule: readonly number[];
  readonly installed?: readonly number[];
}

const asked = [
  { environment: 'evidently', rule: 'Evidently', name: 'Evidently 0.7.23', n: 1000, m: 200 },
  { environment: 'evidently', rule: 'Evidently', name: 'Evidently 0.7.23', n: 1001, m: 200 },
  { environment: 'nannyml', rule: 'NannyML', name: 'NannyML 0.13.1', n: 10_000, m: 1000 },
  { environment: 'nannyml', rule: 'NannyML', name: 'NannyML 0.13.1', n: 1000, m: 200 },
] as const satisfies readonly {
  readonly environment: Environment;
  readonly rule: string;
  readonly [key: string]: unknown;
}[];

export const measureBeside = (windows: number, seed: number): readonly Beside[] =>
  asked.map(({ environment, rule, name, n, m }) => {
    const draws = random(seed, n, m);
    const world = mixedWorld((column, day) => (column === 0 && day === windows - 1 ? 0.5 : 0));
    const reference = world.rows(n, -1, draws);
    const prepared = prepare(reference, m);
    const live = Array.from({ length: windows }, (_, day) => world.rows(m, day, draws));
    const counts = live.map((rows) => (alarmsOf(prepared, rows)[rule] ?? []).filter((alarm) => alarm).length);
    const installed = inFiles([reference, ...live], (paths) => run(environment, [environment, ...paths]));
    return {
      package: name,
      n,
      m,
      rule: counts,
      ...(Array.isArray(installed) ? { installed: installed as number[] } : {}),
    };
  });

function inFiles(tables: readonly (readonly Rows[])[], use: (paths: readonly string[]) => unknown): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'serin-rivals-'));
  try {
    return use(
      tables.map((columns, at) => {
        const path = join(folder, `${at}.csv`);
        writeFileSync(path, csvOf(columns));
        return path;
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function csvOf(columns: readonly Rows[]): string {
  const values = columns.map((column) => ('numbers' in column ? column.numbers : column.texts));
  const lines = Array.from({ length: values[0]?.length ?? 0 }, (_, row) => values.map((of) => of[row]).join(','));
  return `${columns.map(({ name }) => name).join(',')}\n${lines.join('\n')}\n`;
}
