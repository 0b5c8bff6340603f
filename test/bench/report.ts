import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import type { Measure } from './measure.ts';

/** The machine that the figures are of. */
export function machineText(): string {
  const model = cpus()[0]?.model.trim() ?? 'an unknown CPU';
  const gigabytes = (totalmem() / 1e9).toFixed(0);
  const load = loadavg()[0]?.toFixed(1);
  const date = new Date().toISOString().slice(0, 10);
  return `${model}, ${availableParallelism()} cores, ${gigabytes} GB, Node ${process.versions.node}, ${process.platform}, ${date}; load average at the start ${load}`;
}

/** The whole of docs/benchmarks.md. */
export function markdown(measures: readonly Measure[], machine: string): string {
  const rows = measures.map(
    ({ what, goal, got, beside, met }) => `| ${[what, goal, got, beside, met ? 'met' : 'missed'].join(' | ')} |`,
  );
  return `# Benchmarks

Written by \`npm run bench -- --write\`; not edited by hand. Figures are of one run on one machine, with the load
generator on the same cores; the column "beside" is from the same run and tells what the machine could do. No test
depends on them.

Machine: ${machine}.

| what | goal | got | beside | |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
