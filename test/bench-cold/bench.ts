import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bundle, bundle, bundleFunctions, type CloudName, clouds } from '../../scripts/bundle.ts';

export interface Bench {
  readonly cloud: CloudName;
  readonly rounds: number;
  readonly maxKb: number;
  /** The most that a function may take to start, beside the first of the peers. */
  readonly maxRatio: number;
  /** What an installation gives its functions. */
  readonly environment: Readonly<Record<string, string>>;
  readonly bare: { readonly title: string; readonly code: string };
  /** By function: what it composes when it is called first, and code that makes the vendor's clients for the same. */
  readonly functions: Readonly<Record<string, { readonly composes: string; readonly clients: string }>>;
  /** What each function is measured beside: `clients`, bundled as esbuild does it (`plain`) or with our cuts. */
  readonly peers: readonly { readonly title: string; readonly plain: boolean }[];
  /** JavaScript that loads a function as the cloud does, then calls `up()`. */
  starts(file: string): string;
}

interface Row {
  readonly name: string;
  readonly kb: number;
  readonly started: Bundle;
  readonly peers: readonly Bundle[];
}

const kbOf = ({ bytes }: Bundle): number => bytes / 1024;

/** Sizes and starts of a cloud's functions, as a table, in turns with their peers; what was missed. */
export async function measure(bench: Bench, rounds: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'serin-cold-'));
  try {
    const bare = await bundle(bench.cloud, { name: 'bare', code: bench.bare.code }, folder);
    const rows = await rowsOf(bench, folder);
    const files = [bare, ...rows.flatMap(({ started, peers }) => [started, ...peers])].map(({ file }) => file);
    const medians = startsOf(bench, files, rounds);
    print(bench, { rows, bare, medians });
    process.stdout.write(`medians of ${rounds} starts of a process, minified\n`);
    return missed(bench, rows, medians);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rowsOf({ cloud, functions, peers }: Bench, folder: string): Promise<readonly Row[]> {
  const sizes = new Map((await bundleFunctions(cloud, folder)).map((made) => [made.name, kbOf(made)]));
  return Promise.all(
    Object.entries(functions).map(async ([name, { composes, clients }]) => ({
      name,
      kb: sizes.get(name) ?? 0,
      started: await bundle(cloud, { name: `${name}-started`, code: composed(cloud, name, composes) }, folder),
      peers: await Promise.all(
        peers.map(({ plain }, at) => bundle(cloud, { name: `${name}-peer-${at}`, code: clients, plain }, folder)),
      ),
    })),
  );
}

/** The function as it is deployed, and composed at once instead of by its first call. */
const composed = (cloud: CloudName, name: string, composes: string): string =>
  `import { ${composes} } from './compose.ts'; ${clouds[cloud].entryOf(name)} export const made = ${composes}();`;

/** Milliseconds from the start of a process of Node until a function is loaded as the cloud does it: the median. */
function startsOf(
  { starts, environment }: Bench,
  files: readonly string[],
  rounds: number,
): ReadonlyMap<string, number> {
  const startMs = (file: string): number => {
    const code = `const up = () => process.stdout.write(String(performance.now()), () => process.exit()); ${starts(file)}`;
    const env = { ...environment, PATH: process.env.PATH };
    return Number(execFileSync(process.execPath, ['-e', code], { env, encoding: 'utf8' }));
  };
  const times = new Map<string, number[]>(files.map((file) => [file, []]));
  // In turns, so that a busy moment of the machine falls on all of them.
  for (let round = 0; round < rounds; round += 1) for (const file of files) times.get(file)?.push(startMs(file));
  const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
  return new Map([...times].map(([file, all]) => [file, median(all)]));
}

interface Measured {
  readonly rows: readonly Row[];
  readonly bare: Bundle;
  readonly medians: ReadonlyMap<string, number>;
}

function print(bench: Bench, { rows, bare, medians }: Measured): void {
  const line = (...cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
  const ms = ({ file }: Bundle): number => medians.get(file) ?? Number.NaN;
  const heads = [
    'bundle',
    'KB',
    'start, ms',
    'ratio to bare',
    ...bench.peers.flatMap(({ title }) => [`${title}, KB`, 'ms', 'ratio']),
  ];
  line(...heads);
  line(...heads.map(() => '---'));
  line(bench.bare.title, kbOf(bare).toFixed(1), ms(bare).toFixed(0), '1', ...heads.slice(4).map(() => ''));
  for (const { name, kb, started, peers } of rows) {
    const beside = peers.flatMap((peer) => [
      kbOf(peer).toFixed(0),
      ms(peer).toFixed(0),
      (ms(started) / ms(peer)).toFixed(2),
    ]);
    line(name, kb.toFixed(0), ms(started).toFixed(0), (ms(started) / ms(bare)).toFixed(2), ...beside);
  }
}

const missed = ({ maxKb, maxRatio }: Bench, rows: readonly Row[], medians: ReadonlyMap<string, number>) =>
  rows.flatMap(({ name, kb, started, peers: [peer] }) => {
    const ratio = (medians.get(started.file) ?? 0) / (medians.get(peer?.file ?? '') ?? 0);
    return [
      ...(kb > maxKb ? [`${name} has ${kb.toFixed(0)} KB, more than ${maxKb}`] : []),
      ...(ratio > maxRatio ? [`${name} starts in ${ratio.toFixed(2)} of its clients bare, more than ${maxRatio}`] : []),
    ];
  });
