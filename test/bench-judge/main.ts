import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { calibrations, limitsFrom } from './calibration.ts';
import { cases } from './cases.ts';
import { estimateText, goalText, verdictOn } from './claims.ts';
import { numbersIn, runOptions } from './options.ts';
import { measure, type Spent } from './pool.ts';
import { docs, writeReport } from './report.ts';
import { spentText } from './spent.ts';
import { claimsOn, hunt, prices, type Results } from './targets.ts';

/**
 * `npm run bench:judge -- [--short] [--part <share>] [--within <minutes>] [--only <text>] [--seed <number>]
 * [--into <folder>] [--keep <file>] [--from <file>]`: the judge beside the rules of the others.
 *
 * The full form writes docs/judge.md, and the table of few requests in docs/rollout.md; the short form (CI) ends with 1
 * when a target that so few runs can decide is missed, or a mutant is not told from the product. `--part 0.25` runs a
 * quarter of the full form, and `--within 50` begins nothing after 50 minutes. `--only` measures the cases whose name
 * contains the text. `--keep` keeps the figures in a file, and `--from` writes the page from them, without a run.
 */
interface Kept {
  readonly form: 'short' | 'full';
  readonly seed: number;
  readonly part: number;
  readonly tuning: Results;
  readonly results: Results;
  readonly spent: Readonly<Record<string, Spent>>;
  readonly left: number;
  readonly took: string;
}

const { values } = parseArgs({ options: runOptions });
const { seed, part, within } = numbersIn(values);
const form = values.short ? 'short' : 'full';
const { only } = values;
const chosen = cases
  .filter(({ name }) => only === undefined || name.includes(only) || calibrations.some((one) => one.name === name))
  .map(({ runs, ...one }) => ({ ...one, runs: { ...runs, full: Math.ceil(part * runs.full) } }));
if (chosen.length === calibrations.length) throw new Error(`no case has '${only}' in its name`);

const begun = performance.now();
const passedMs = (): number => performance.now() - begun;
const minutes = (): string => `${(passedMs() / 60_000).toFixed(1)} min`;
const tell = (name: string, done: number, of: number): void => console.log(`${minutes()}  ${done}/${of}  ${name}`);
console.log(`the judge's benchmark, ${form} form, seed ${seed}`);

const isTuning = new Set(calibrations.map(({ name }) => name));
async function run(): Promise<Kept> {
  const tuned = await measure(
    chosen.filter(({ name }) => isTuning.has(name)),
    { seed, context: { limits: {} } },
    { form, withinMs: Number.POSITIVE_INFINITY, tell },
  );
  const judged = await measure(
    chosen.filter(({ name }) => !isTuning.has(name)),
    { seed, context: { limits: limitsFrom(tuned.results) } },
    { form, withinMs: within * 60_000 - passedMs(), tell },
  );
  const spent = { ...tuned.spent, ...judged.spent };
  return {
    form,
    seed,
    part,
    tuning: tuned.results,
    results: judged.results,
    spent,
    left: judged.left,
    took: minutes(),
  };
}

const kept = values.from === undefined ? await run() : (deserialize(readFileSync(values.from)) as Kept);
if (values.keep !== undefined) writeFileSync(values.keep, serialize(kept));
const { results } = kept;

const counts = { met: 0, missed: 0, open: 0 };
console.log('\nTargets');
// A part of the full form has too few runs to decide by a limit.
const decided = kept.part === 1 ? kept.form : 'short';
for (const claim of claimsOn(results, kept.form)) {
  const verdict = verdictOn(claim, decided);
  counts[verdict] += 1;
  console.log(`${verdict.toUpperCase().padEnd(7)} ${claim.what}: ${estimateText(claim)}, ${goalText(claim)}`);
}
console.log('\nPrice of robustness');
for (const { what, goal, before, now } of prices(results))
  console.log(`${what}: ${now}; before ${before === '' ? 'not measured' : before}, goal then ${goal}`);
console.log('\nMutants');
for (const { letter, what, in: name, bound, product, mutant, flagged } of hunt(results)) {
  counts[flagged ? 'met' : 'missed'] += 1;
  console.log(
    `${flagged ? 'FLAGGED' : 'MISSED '} (${letter}) ${what} [${name}]: ${mutant} beside ${product}, bound ${bound}`,
  );
}
if (kept.form === 'full' && only === undefined) {
  const files = writeReport({ ...kept, limits: limitsFrom(kept.tuning) }, values.into ?? docs);
  console.log(`\nwritten: ${files.join(', ')}`);
}
console.log(`\nProcessor time${kept.left === 0 ? '' : `; ${kept.left} runs were left out`}`);
for (const line of spentText(kept.spent)) console.log(line);
const open = counts.open === 0 ? '' : `, ${counts.open} open: the full form decides`;
console.log(`\n${kept.took}\n${counts.met} passed, ${counts.missed} failed${open}`);
process.exitCode = counts.missed === 0 ? 0 : 1;
