import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchBeside } from './beside.ts';
import { benchHelp } from './command.ts';
import { benchDrop } from './drop.ts';
import { benchSplit } from './gateway-row.ts';
import { benchIdle } from './idle.ts';
import { benchJudge } from './judge.ts';
import { benchLatency } from './latency.ts';
import type { Measure } from './measure.ts';
import { benchModels } from './models.ts';
import { benchParquet } from './parquet.ts';
import { benchProfile } from './profile.ts';
import { machineText, markdown } from './report.ts';
import { benchSignals } from './signals.ts';

/** `npm run bench [-- --quick] [-- --write] [name ...]`: every row, or those that are named. Nothing fails on a figure. */
const rows: Readonly<Record<string, (quick: boolean) => Promise<readonly Measure[]>>> = {
  signals: benchSignals,
  drop: benchDrop,
  gateway: benchSplit,
  models: benchModels,
  beside: benchBeside,
  latency: benchLatency,
  judge: benchJudge,
  profile: benchProfile,
  parquet: benchParquet,
  help: benchHelp,
  idle: benchIdle,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(rows, name));
if (unknown.length > 0)
  throw new Error(`no benchmark is named ${unknown.join(', ')}; there are ${Object.keys(rows).join(', ')}`);
if (values.write && (values.quick || positionals.length > 0))
  throw new Error('--write wants a whole run: every row, not --quick');

const machine = machineText();
console.log(machine);
const measures: Measure[] = [];
for (const [name, bench] of Object.entries(rows)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  for (const measure of await bench(values.quick)) {
    measures.push(measure);
    const { what, goal, got, beside, met } = measure;
    console.log(`\n${met ? 'met   ' : 'MISSED'} ${what}\n  goal    ${goal}\n  got     ${got}\n  beside  ${beside}`);
  }
}
if (values.write) {
  const file = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, markdown(measures, machine));
  console.log(`\nwritten to ${file}`);
}
