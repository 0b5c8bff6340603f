import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { type Claim, estimateText, goalText, verdictOn } from './claims.ts';
import { losses } from './losses.ts';
import { table } from './markdown.ts';
import { parts } from './parts.ts';
import { conditionsPlot, detectionPlot, exposedPlot, falseRollbackPlot, rulesPlot } from './plots.ts';
import { planFor } from './rollout.ts';
import * as tables from './tables.ts';
import { claimsOn, hunt, prices, type Results } from './targets.ts';

export interface Measured {
  readonly results: Results;
  readonly tuning: Results;
  readonly limits: Readonly<Record<string, number>>;
  readonly seed: number;
  /** Of the runs of the full form. */
  readonly part: number;
  readonly took: string;
  /** Runs that were left out, for the time was over. */
  readonly left: number;
}

const docs = join(import.meta.dirname, '../../docs');

/** Writes docs/judge.md and its plots, and answers what was written. */
export function writeReport(measured: Measured): readonly string[] {
  const files = {
    'judge.md': pageOf(measured),
    'judge/conditions.svg': conditionsPlot(measured.results),
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
  const { results, tuning, limits, seed, part, took } = measured;
  const { warmUp } = planFor();
  return `# What the judge does, measured

Written by \`npm run bench:judge${part === 1 ? '' : ` -- --part ${part}`}\`; not edited by hand.${part === 1 ? '' : ` This is ${Math.round(100 * part)} % of the runs of the full form, so the limits are wide.`} Seed ${seed}; it took ${took} on ${availableParallelism()} cores, Node ${process.versions.node}. The same
seed gives the same figures wherever this Node runs.

A rollout here is one that a user gets. It goes through the product's own state table under the compiled default config:
5, 25 and 50 % of the traffic, a quarter of an hour each, errors and latency as guardrails, all policies on. A request is
**exposed** when the candidate answers it. Figures of exposed requests are means of all rollouts. Minutes are medians of
all rollouts, and \`never\` says that fewer than half were taken back. 0.5 % of the champion's requests fail, unless something else is said.

## What the shipped default does

A candidate that is worse, until the evidence or a limit takes it back:

${tables.defaultTable(results)}

"Least possible" is Wald's bound: no test with alpha 1 % that knows both rates and looks after every single request needs
fewer. On AWS a tick is told three minutes later. A candidate that is neither taken back nor certified stays until the
last step has used all of its time, and its requests count as well.

A candidate that is as good as its champion, followed for ten hours:

${tables.calmTable(results)}

## What each condition is worth

Each formula of the judge holds under conditions (they are in every certificate). Production breaks them. Each row below
breaks one, and the candidate is as good as its champion, or exactly at the margin. "With history": the judge has read
the champion's last day, which had the same weather. "Without": nobody could read it. Each cell: the share, and in
brackets the upper end of its 95 % limits. "By policy": what a limit or a hold took back; no bound speaks of these.

![What each condition is worth](judge/conditions.svg)

${tables.conditionsTable(results)}

Noise is of the logarithm of the odds, in each minute and arm; AR is its correlation with the minute before. A burst is
of requests of one arm that fail at once. At the margin the evidence of harm is switched off, so that the promotion
stands by itself; the candidate has twice as many failed requests, or twice as many slower than the champion's p90. A
history is drawn anew for every fifth rollout.

${parts.map((part) => part.section(results)).join('\n\n')}

## Targets

${targetsTable(results)}

Limits are exact for shares (Clopper-Pearson, both ends at 95 %), from ranks for medians, normal for means.

### The price of robustness

Goals of the rule before this one. It rolled back 5 to 100 % of the innocent in the weather above, and was quicker for
the same reason: one minute was enough. "Before" is what its shipped default reached on these streams.

${table(
  ['', 'goal then', 'before', 'now'],
  prices(results).map(({ what, goal, before, now }) => [what, goal, before, now]),
)}

## Beside the rules of others

All rules of a table read the same streams, minute by minute, with the weights of the default config. Nobody has a
warm-up for errors. For latency this judge leaves out ${warmUp} minutes after each change of weight, and one row gives Kayenta
the same. The rules follow their sources: Flagger \`pkg/controller/scheduler.go\` and \`scheduler_metrics.go\`, Argo
Rollouts \`analysis/analysis.go\`, the alarm of the SageMaker deployment guardrails guide, Kayenta \`NetflixACAJudge.scala\`,
\`MannWhitneyClassifier.scala\` and \`MannWhitney.scala\`, GrowthBook \`gbstats/frequentist/tests.py\`, and the mixture SPRT of
Johari, Koomen, Pekelis and Walsh (KDD 2017), which Optimizely and Statsig describe. GrowthBook and the mixture SPRT compare
two equal halves, so they see as many of the champion's requests as the candidate has. The standard deviation of the
mixture is the champion's share of errors, which favours it. Fixed limits are shown at 0.75, 1 and 2 %, as an owner does
not know how bad a candidate will be: at 1 % a doubled error rate lies exactly on the limit. A **tuned** limit is the
best that a fixed limit can do: every shape gets the limit that takes back 1 % of the innocent on this very traffic, and
the shape that exposes least is chosen afterwards, another one for each effect. Nobody can set it in advance. The
**oracle SPRT** knows how many times as bad the candidate is, or the champion's rate as well.

### Innocent candidates

N1: nothing happens. N2: both arms have six times the errors for 8 minutes. N3: the baseline moves up and down by half in
an hour. In none of them does an arm have weather of its own.

![False rollbacks of all rules](judge/false-rollback-rules.svg)

${tables.falseRollbackTable(results)}

### Worse candidates

A rule that rolls back the innocent also rolls back the guilty soon: read these figures beside those above.

![Exposed requests by effect](judge/exposed.svg)

![Minutes until the rollback by effect](judge/detection.svg)

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

### Latency

Lognormal, median 100 ms, sigma 0.9; drawn request by request. Kayenta reads the mean latency of each minute.

${tables.latencyTable(results)}

### Tuned limits

For each kind and window the start and number in a row that expose least at x2, at 6,000 requests a minute; the first
half is tuned to 1 % in each of N1, N2 and N3, the second in N1 alone, where nothing ever happens to both arms.

${tables.tunedTable(results, tuning, limits, 6000)}

## Where the conditions hold

The theorem says at most 1 % in each of these, so they check the code rather than the theorem. Eight guardrails together:
errors, latency and six more 0/1 signals with base shares from 0.05 % to 5 %, correlated with the errors and with each
other, each with an eighth of alpha.

![False rollbacks of the judge](judge/false-rollback.svg)

${tables.nullsTable(results)}

N0 leaves nothing but the origin of the bad requests to chance and is watched by one guardrail. N5 is judged by users. N6
has labels on a clock of their own.

${tables.mistakesTable(results)}

## Promotion at the margin

Judged on the errors, in a last step of 60 ticks at 50 %, with the rollback left out, so that the bound stands by itself:

${tables.promotionTable(results)}

A healthy candidate has its certificate after so many ticks of the last step:

${tables.healthyTable(results)}

## Quality

Both models answer the same request, 60 labelled pairs a minute. The champion is wrong in 5 %, half of its mistakes are
the candidate's too, and the candidate makes as many of its own, and the points more.

${tables.qualityTable(results)}

## The harness can fail

Each of these mistakes is made on purpose, around the product's own functions, and has to be told from the product.

${mutantsTable(results)}

## Where it does not win, and what it does not protect from

${losses(measured)}

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
          ...others,
          {
            ...worst,
            what: `false rollback in each of ${nullClaims.length} nulls that keep the conditions, the worst: ${worst.what.replace('false rollback, ', '')}`,
          },
        ];
  const rows = shown.map((claim) => {
    const verdict = verdictOn(claim, 'full');
    return [claim.what, goalText(claim), estimateText(claim), verdict === 'met' ? verdict : `**${verdict}**`];
  });
  return table(['target', 'goal', 'measured (limits)', ''], rows);
}

const mutantsTable = (results: Results): string =>
  table(
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
