import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetWriteFile } from 'hyparquet-writer';
import { count, type Measure } from './measure.ts';
import { withDirectory } from './processes.ts';

const reading = fileURLToPath(new URL('./parquet-reading.ts', import.meta.url));
const goalMillions = 8;
const goalMegabytes = 256;

/** What `parquet-reading.ts` prints of one reader: of its median pass, in time of the CPU, because cores are shared. */
interface Read {
  readonly values: number;
  readonly seconds: number;
  readonly megabytes: number;
}

/** A whole file profiled, beside what reading it takes, and beside the best known reader in JavaScript. */
export function benchParquet(quick: boolean): Promise<readonly Measure[]> {
  return withDirectory(async (directory) => {
    const filename = join(directory, 'rows.parquet');
    const rows = quick ? 200_000 : 1_000_000;
    parquetWriteFile({ filename, columnData: columnsOf(rows), rowGroupSize: rows / 4, statistics: false });
    const profiled = readBy('profile', filename);
    const own = readBy('own', filename);
    const other = readBy('hyparquet', filename);
    return [
      {
        what: `a Parquet file of ${count(rows)} rows and 10 columns (${count(statSync(filename).size / 1e6)} MB, Snappy) profiled in full`,
        goal: `>= ${goalMillions} M values a second of CPU, in ${goalMegabytes} MB`,
        got: saidOf(profiled),
        beside: `only read, with the hashes of its rows: ${saidOf(own)}; hyparquet, column by column and without hashes: ${saidOf(other)}`,
        met: millions(profiled) >= goalMillions && profiled.megabytes <= goalMegabytes,
      },
    ];
  });
}

const saidOf = (read: Read): string => `${millions(read).toFixed(1)} M in ${count(read.megabytes)} MB`;
const millions = ({ values, seconds }: Read): number => values / seconds / 1e6;

function readBy(reader: 'profile' | 'own' | 'hyparquet', file: string): Read {
  const { status, stdout, stderr } = spawnSync(process.execPath, [reading, reader, file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`reading ${file} by ${reader} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Read;
}

/** The same numbers in each run. */
function chance(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Numbers whole and not, some of them missing, texts of few and of many values, and a time. */
function columnsOf(rows: number) {
  const next = chance();
  const of = <Value>(value: (row: number) => Value): Value[] => Array.from({ length: rows }, (_, row) => value(row));
  const colours = ['red', 'green', 'blue', 'black'];
  return [
    { name: 'id', data: of((row) => BigInt(row)), type: 'INT64' as const },
    { name: 'visits', data: of(() => Math.floor(next() * 100)), type: 'INT32' as const },
    { name: 'account', data: of(() => BigInt(Math.floor(next() * 1e6))), type: 'INT64' as const },
    { name: 'uniform', data: of(() => next()), type: 'DOUBLE' as const },
    { name: 'normal', data: of(() => next() + next() + next() + next() - 2), type: 'DOUBLE' as const },
    { name: 'waited', data: of(() => -Math.log(1 - next())), type: 'DOUBLE' as const },
    { name: 'holed', data: of(() => (next() < 0.02 ? undefined : next())), type: 'DOUBLE' as const },
    { name: 'city', data: of(() => `city-${Math.floor(5000 * next() ** 4)}`), type: 'STRING' as const },
    { name: 'colour', data: of(() => colours[Math.floor(next() * 4)]), type: 'STRING' as const },
    { name: 'at', data: of((row) => new Date(1.7e12 + row * 1000)), type: 'TIMESTAMP' as const },
  ];
}
