// Size and cold start of the functions of each cloud, beside a bare function and beside the vendor's own clients, in one run.
// `node test/bench-cold/main.ts [cloud] [--rounds N]`
import { aws } from './aws.ts';
import { azure } from './azure.ts';
import { type Bench, measure } from './bench.ts';
import { gcp } from './gcp.ts';

const benches: readonly Bench[] = [aws, gcp, azure];
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || undefined;
const wanted = benches.filter(({ cloud }) => process.argv.includes(cloud));

for (const bench of wanted.length > 0 ? wanted : benches) {
  process.stdout.write(`\n${bench.cloud}\n\n`);
  for (const failure of await measure(bench, rounds ?? bench.rounds)) {
    process.stdout.write(`missed: ${failure}\n`);
    process.exitCode = 1;
  }
}
