import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { type Claim, estimateText, goalText, verdictOn } from './claims.ts';
import { losses } from './losses.ts';
import { detectionPlot, exposedPlot, falseRollbackPlot, rulesPlot } from './plots.ts';
import * as tables from './tables.ts';
import { claimsOn, hunt, type Results } from './targets.ts';

export interface Measured {
  readonly results: Results;
  readonly tuning: Results;
  readonly limits: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly took: string;
}

const docs = join(import.meta.dirname, '../../docs');

/** Writes docs/judge.md and its plots, and answers what was written. */
export function writeReport(measured: Measured): readonly string[] {
  const files = {
    'judge.md': pageOf(measured),
    'judge/exposed.svg': exposedPlot(measured.results),
    'judge/detection.svg': detectionPlot(measured.results),
    'judge/false-rollback.svg': falseRollbackPlot(measured.results),
    'judge/false-rollback-rules.svg': rulesPlot(measured.results),
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(docs, name)), { recursive: true });
    writeFileSync(join(docs, name), content);
  }
  return Object.keys(files).map((name) => `docs/${name}`);
}

export function pageOf(measured: Measured): string {
  const { results, tuning, limits, seed, took } = measured;
  return `# The judge beside the rules of the others

Written by \`npm run bench:judge\`; not edited by hand. Seed ${seed}; it took ${took} on ${availableParallelism()} cores, Node ${process.versions.node}. The same
seed gives the same figures wherever this Node runs.

## What is compared

A rollout is a ramp: 5, 10, 25 and 50 % of the traffic to the candidate, 15 minutes each, judged every minute. The
number of requests in a minute is Poisson, and each is routed by its own coin. In a **null** the candidate is exactly as
good as the champion, so every rollback is false. In an **effect** it is worse, and what counts is how many requests it
got until it was taken back (**exposed**: the mean of all rollouts, one that was never taken back counting whole) and
after how many minutes (the median of all rollouts). Unless something else is said, 0.5 % of the champion's requests
fail. All rules of a table read the same streams.

The judge is the product's own code, \`packages/core/src/judge/\`, with the defaults of its config (alpha 1 %, beta 5 %,
tolerated ratio 1, margin 2, floor 0.1 %), without warm-up (but in N10) and without the hard limits, which are policy. It is shown
with three sets of guardrails: *errors alone*, as the other rules watch them, *errors and latency*, its default, and
*eight guardrails*. The eight are errors, latency (slower than the champion's p50, p90, p99) and six more 0/1 signals,
each with its own base share from 0.05 % to 5 %. A request that fails shows in each of the six with probability a half,
and in one minute of twenty a common cause makes all six four times as frequent in both arms; so they are correlated
with the errors and with each other. The six come to the judge as segments, each a guardrail with an eighth of alpha.

The rules of the others follow their sources: Flagger \`pkg/controller/scheduler.go\` and \`scheduler_metrics.go\`, Argo
Rollouts \`analysis/analysis.go\`, the alarm of the SageMaker deployment guardrails guide, Kayenta \`NetflixACAJudge.scala\`,
\`MannWhitneyClassifier.scala\` and \`MannWhitney.scala\` (the root-finding interval; it gives [6.0, 39.0] and 22.5 for
Kayenta's own test). Their limit is 1 % of errors. **Tuned** limits are what a fixed limit can do when somebody knows the traffic
exactly: every shape (absolute or relative to the champion, 6 windows, 1 to 3 in a row, 3 starts) gets the limit that
rolls back 1 % of the innocent, and the shape that exposes least is then taken, by effect.

No rule is charged for the delay of its metrics, and this judge not for waiting until a tick's requests have ended.

## Targets

${targetsTable(results)}

Detection is judged with all of alpha on the guardrail that sees the regression (errors, latency or labels alone). Where
others share alpha it takes longer: see "Where it does not win".

Limits are exact for shares (Clopper-Pearson, both ends at 95 %), from ranks for medians, normal for means. A false
rollback, and a wrong promotion, is met when its upper limit is.

## False rollbacks

![False rollbacks of the judge](judge/false-rollback.svg)

${tables.nullsTable(results)}

N0 leaves nothing but the origin of the bad requests to chance and is watched by one guardrail; it is where a wrong
threshold would show. N5 is judged by users, with errors and latency (users are not counted by segment). N6 has a ninth
guardrail, labels, on a clock of its own. "Held for routing" are rollouts that the sample ratio held: it may be wrong in
1 of 1,000. What is routed otherwise than configured has no certificate: it goes back to the weight before, and by policy
it is taken back at once by the requests that came, or within half an hour. N10 has its default warm-up of two ticks after
each change of weight, in which latency is left out.

${tables.falseRollbackTable(results)}

![False rollbacks of all rules](judge/false-rollback-rules.svg)

What two of the conditions are worth:

${tables.conditionsTable(results)}

## What a regression costs

![Exposed requests by effect](judge/exposed.svg)

![Minutes until the rollback by effect](judge/detection.svg)

A rule that rolls back the innocent also rolls back the guilty soon: read these figures beside those above.

At 6,000 requests a minute:

${tables.effectsTable(results, 6000)}

At 600:

${tables.effectsTable(results, 600)}

At 60:

${tables.effectsTable(results, 60)}

At 60,000:

${tables.effectsTable(results, 60_000)}

A regression that starts late:

${tables.namedTable(
  results,
  Object.keys(results).filter((name) => name.startsWith('errors x3 from')),
)}

### Tuned limits

For each kind and window the start and number in a row that expose least at x2, at 6,000 requests a minute; the first
half is tuned to 1 % in each of N1, N2 and N3, the second in N1 alone, where nothing ever happens to both arms.

${tables.tunedTable(results, tuning, limits, 6000)}

### Latency

Lognormal, median 100 ms, sigma 0.9; drawn request by request. Kayenta reads the mean latency of each minute.

${tables.latencyTable(results)}

### Quality

Both models answer the same request, 60 labelled pairs a minute. The champion is wrong in 5 %, half of its mistakes are
the candidate's too, and the candidate makes as many of its own, and the points more.

${tables.qualityTable(results)}

## Promotion

Judged on the errors, in a last step of 60 ticks at 50 %, with the rollback left out, so that the bound stands by itself:

${tables.promotionTable(results)}

A healthy candidate has its certificate after so many ticks of the last step (0.5 % of errors on both sides):

${tables.healthyTable(results)}

## The harness can fail

Each of these mistakes is made on purpose, around the product's own functions, and has to be told from the product.

${mutantsTable(results)}

## Where it does not win

${losses(measured)}

## Beside earlier figures

The design gives figures that were measured outside this repository. The rules here reproduce them, with these
differences. Flagger: the rollback comes with the tick *after* the one that reached the threshold, whose requests are
counted here. Kayenta: rates are read in percent, as in its own tests, where the tolerance of its root search (1e-4) does
not matter; it rolls back fewer of the innocent than the 0.8 % given there. Promotion: the certificate splits its evidence evenly over the ratio and the floor, which costs a factor of
two where the floor has nothing to say; the earlier figures are those of the ratio alone.

## How to run it again

\`\`\`
npm run bench:judge                          # all runs, writes this page and its plots
npm run bench:judge -- --short               # what CI runs: a few minutes, exit code 1 when something is missed
npm run bench:judge -- --only "errors x2"    # the cases with this in their name; writes nothing
npm run bench:judge -- --seed 7              # other streams
\`\`\`
`;
}

const isOfNull = ({ what }: Claim): boolean => what.startsWith('false rollback, ');

function targetsTable(results: Results): string {
  const claims = claimsOn(results, 'full');
  const [nullClaims, others] = [claims.filter(isOfNull), claims.filter((claim) => !isOfNull(claim))];
  // Each null has its row below; the one with the highest limit decides for all.
  const [worst] = nullClaims.toSorted((a, b) => b.estimate.high - a.estimate.high);
  const shown =
    worst === undefined
      ? others
      : [
          {
            ...worst,
            what: `false rollback in each of ${nullClaims.length} nulls, the worst: ${worst.what.replace('false rollback, ', '')}`,
          },
          ...others,
        ];
  const rows = shown.map((claim) => [claim.what, goalText(claim), estimateText(claim), verdictOn(claim, 'full')]);
  return tables.table(['target', 'goal', 'measured (limits)', ''], rows);
}

const mutantsTable = (results: Results): string =>
  tables.table(
    ['', 'mistake', 'measured in', 'product', 'mistake', 'bound', ''],
    hunt(results).map(({ letter, what, in: name, bound, product, mutant, flagged }) => [
      letter,
      what,
      name.replace(/^mutant \(.\), /, ''),
      product,
      mutant,
      bound,
      flagged ? 'flagged' : 'NOT FLAGGED',
    ]),
  );
