import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { estimateText, goalText, verdictOn } from '../bench-judge/claims.ts';
import { numbersIn, runOptions } from '../bench-judge/options.ts';
import { measure } from '../bench-judge/pool.ts';
import { measureBeside } from './beside.ts';
import { cases } from './cases.ts';
import { goalsOn } from './goals.ts';
import { install } from './installed.ts';
import { measureFlights } from './real.ts';
import { docs, type Measured, writeReport } from './report.ts';
import { measureSpeed } from './speed.ts';

/**
 * `npm run bench:drift -- [--short] [--install] [--part <share>] [--within <minutes>] [--only <text>] [--seed <number>]
 * [--into <folder>] [--keep <file>] [--from <file>]`: the drift detector beside the rules of the others.
 *
 * The full form writes what is measured in docs/drift.md, and its plots; the short form (CI) ends with 1 when a goal is
 * missed that so few runs can decide. `--install` fetches the packages of others first. `--part`, `--within`, `--only`,
 * `--keep` and `--from` are as in `npm run bench:judge`; `--timed` measures beside `--from` what is timed and read again,
 * so that this alone needs a quiet machine.
 */
const { values } = parseArgs({
  options: {
    ...runOptions,
    install: { type: 'boolean', default: false },
    timed: { type: 'boolean', default: false },
  },
});
const { seed, part, within } = numbersIn(values);
const { short, only } = values;
const chosen = cases
  .filter(({ name }) => only === undefined || name.includes(only))
  .map(({ runs, ...one }) => ({ ...one, runs: { ...runs, full: Math.ceil(part * runs.full) } }));
if (chosen.length === 0) throw new Error(`no case has '${only}' in its name`);

const begun = performance.now();
const passedMs = (): number => performance.now() - begun;
const minutes = (): string => `${(passedMs() / 60_000).toFixed(1)} min`;
const tell = (line: string): void => console.log(`${minutes()}  ${line}`);
/** Runs of a case that one worker does in a row: a year takes about a second. */
const chunk = 2;

if (values.install) install(tell);

function timed(): Pick<Measured, 'speed' | 'beside' | 'real'> {
  return {
    speed: measureSpeed(Math.ceil(500_000 * Math.max(0.6, part))),
    beside: measureBeside(Math.max(3, Math.ceil(10 * part)), seed),
    real: measureFlights(),
  };
}

async function run(): Promise<Measured> {
  // What is timed comes first, while nothing else of this run is on the processor.
  const before = !short && only === undefined ? timed() : {};
  tell('simulates');
  const { results, left } = await measure(
    chosen,
    { seed, context: { limits: {} } },
    {
      form: short ? 'short' : 'full',
      withinMs: within * 60_000 - passedMs(),
      tell: (name, done, of) => tell(`${done}/${of}  ${name}`),
      chunk,
      worker: new URL('./worker.ts', import.meta.url),
    },
  );
  return { results, left, seed, part, took: minutes(), ...before };
}

const kept = (file: string): Measured => ({
  ...(deserialize(readFileSync(file)) as Measured),
  ...(values.timed ? timed() : {}),
});
const measured = values.from === undefined ? await run() : kept(values.from);
if (values.keep !== undefined) writeFileSync(values.keep, serialize(measured));

const counts = { met: 0, missed: 0, open: 0 };
// A part of the full form has too few runs to decide by a figure.
const decided = short || measured.part < 1 || measured.left > 0 ? 'short' : 'full';
for (const claim of goalsOn(measured.results, measured.speed)) {
  const verdict = verdictOn(claim, decided);
  counts[verdict] += 1;
  console.log(`${verdict.toUpperCase().padEnd(7)} ${claim.what}: ${estimateText(claim)}, ${goalText(claim)}`);
}
if (!short && only === undefined) console.log(`written: ${writeReport(measured, values.into ?? docs).join(', ')}`);
console.log(`${measured.took}; ${counts.met} met, ${counts.missed} missed, ${counts.open} open`);
process.exitCode = counts.missed === 0 ? 0 : 1;
