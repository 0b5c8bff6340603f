import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { edition } from '../../packages/core/src/judge/rules.ts';
import { replaceBlock } from '../../scripts/docs.ts';
import { type Claim, estimateText, goalText, verdictOn } from './claims.ts';
import { losses } from './losses.ts';
import { type Row, table } from './markdown.ts';
import { parts } from './parts.ts';
import { conditionsPlot, detectionPlot, exposedPlot, falseRollbackPlot, rulesPlot } from './plots.ts';
import { reasonFor } from './reasons.ts';
import { planFor } from './rollout.ts';
import { fewRequests } from './small-part.ts';
import * as tables from './tables.ts';
import { claimsOn, exposureTable, hunt, prices, type Results } from './targets.ts';

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

export const docs = join(import.meta.dirname, '../../docs');

/** Writes judge.md and its plots, and the figures of rollout.md where that page is. Answers what was written. */
export function writeReport(measured: Measured, into: string): readonly string[] {
  const files = {
    'judge.md': pageOf(measured),
    'judge/conditions.svg': conditionsPlot(measured.results),
    'judge/exposed.svg': exposedPlot(measured.results),
    'judge/detection.svg': detectionPlot(measured.results),
    'judge/false-rollback.svg': falseRollbackPlot(measured.results),
    'judge/false-rollback-rules.svg': rulesPlot(measured.results),
  };
  const rollout = join(into, 'rollout.md');
  const written = existsSync(rollout)
    ? { ...files, 'rollout.md': withFewRequests(readFileSync(rollout, 'utf8'), measured.results) }
    : files;
  for (const [name, content] of Object.entries(written)) {
    mkdirSync(dirname(join(into, name)), { recursive: true });
    writeFileSync(join(into, name), content);
  }
  return Object.keys(written).map((name) => join(into, name));
}

/** docs/rollout.md with the table of few requests of this run. */
export const withFewRequests = (page: string, results: Results): string =>
  replaceBlock(page, 'few requests', 'npm run bench:judge', fewRequests(results));

export function pageOf(measured: Measured): string {
  const { results, tuning, limits, seed, part, took, left } = measured;
  const { warmUp } = planFor();
  return `# What the judge does, measured

The judge decides from counts of requests whether a new version is taken back or promoted. It promises two things: a
version that is no worse is taken back by the evidence in at most 1 % of rollouts (alpha), and one at the margin, twice
as bad, is promoted in at most 5 % (beta). This page measures both promises, where their conditions hold and where
production breaks them, and how soon a worse version is taken back, beside the rules of others.

Written by \`npm run bench:judge${part === 1 ? '' : ` -- --part ${part}`}\`; not edited by hand.${part === 1 ? '' : ` This is ${Math.round(1000 * part) / 10} % of the runs of the full form, so the limits are wide.`}${left === 0 ? '' : ` The time was over before ${left.toLocaleString('en-GB')} runs, the same share of each row.`} Seed ${seed}; it took ${took} on ${availableParallelism()} cores, Node ${process.versions.node}. The same
seed and the same numbers of rollouts give the same figures wherever this Node runs.

How to read it:

- **What is measured** is edition ${edition} of the judge's rules under the compiled default config: 5, 25 and 50 % of the
  traffic, a quarter of an hour each, errors and latency as guardrails, all policies on. A rollout goes through the
  product's own state table, as a user's does. The shipped default is the first row of each table that compares rules.
- **Warm-up**: for latency the default leaves out ${warmUp} minutes after each change of weight, for errors nothing. Rivals that
  look at errors have no warm-up either; of Kayenta on latency there is one row with the same and one without.
- **History**: before its first step a rollout reads the champion's last seven days. Here they are drawn from the same
  weather as the rollout. "Without history" means that nobody could read them.
- **Weather** is what happens to requests that no version is to blame for: noise, bursts, retries, cold caches.
- A request is **exposed** when the candidate answers it. Figures of exposed requests are means of all rollouts. Minutes
  are medians of all rollouts, and \`never\` says that fewer than half were taken back. 0.5 % of the champion's requests
  fail, unless something else is said. Limits are at 95 %.

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
the champion's last seven days, which had the same weather. "Without": nobody could read them. Each cell: the share, and
in brackets the upper end of its 95 % limits. "By policy": what a limit or a hold took back; no bound speaks of these.
"Worst": of 60, 600 and 6,000 requests a minute. "Promised: nothing" marks what no bound speaks of; it has no target.

![What each condition is worth](judge/conditions.svg)

${tables.conditionsTable(results)}

The rows below have other traffic, or break what no bound reckons with. With slow probes there are so few requests that
rollouts wait for up to a day, and many end there without a certificate. A candidate that slows down under load is no
innocent at 50 %: to take it back is right, and a certificate says nothing of more traffic than that of the last step.

${tables.furtherTable(results)}

Noise is of the logarithm of the odds, in each minute and arm; AR is its correlation with the minute before. A burst is
of requests of one arm that fail at once. At the margin the evidence of harm is switched off, so that the promotion
stands by itself; the candidate has twice as many failed requests, or twice as many slower than the champion's p90. A
history is drawn anew for every fifth rollout.

${parts.map((part) => part.section(results)).join('\n\n')}

## Targets

Where one target holds for many rows, the worst of those that meet it is shown, and each that misses it.

${targetsTable(results, part === 1 ? 'full' : 'short')}

Limits are exact for shares (Clopper-Pearson, both ends at 95 %), from ranks for medians, normal for means. Figures count
as measured; with "limit" the worse end of the limits has to meet the goal. The speed of the judge is measured elsewhere:
[benchmarks.md](benchmarks.md).

### Exposed requests beside those of the rules before

The protection from an arm's own weather may cost 1.4 times the requests that edition 2 of the rules exposed with the
same weights and warm-up (600 rollouts each). It had no such protection, and no history.

${exposureTable(results)}

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
has labels on a clock of their own. In N9 half of the bad outcomes are known a minute after the request.

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
npm run bench:judge -- --short               # what CI runs: two minutes, exit code 1 when something is missed
npm run bench:judge -- --part 0.1 --into /tmp/judge   # a tenth of the runs, into another folder
npm run bench:judge -- --within 50           # begins nothing after 50 minutes, and says what was left out
npm run bench:judge -- --keep /tmp/figures   # also keeps the figures; --from /tmp/figures writes the page again
npm run bench:judge -- --only "errors x2"    # the cases with this in their name; writes nothing
npm run bench:judge -- --seed 7              # other streams
\`\`\`
`;
}

/** What one target says of many rows: the words before the first comma or colon, and the goal. */
const familyOf = (claim: Claim): string => `${claim.what.split(/[,:]/)[0]}, ${goalText(claim)}`;
/** So many rows of one target are told one by one. */
const fewRows = 3;

export function targetsTable(results: Results, form: 'short' | 'full'): string {
  const families = Map.groupBy(claimsOn(results, 'full'), familyOf);
  const rows = [...families.values()].flatMap((claims): readonly Row[] => {
    const row = (claim: Claim, what = claim.what) => targetRow(claim, what, form);
    if (claims.length <= fewRows) return claims.map((claim) => row(claim));
    const missed = claims.filter((claim) => verdictOn(claim, form) === 'missed');
    const [worst] = claims.filter((claim) => !missed.includes(claim)).toSorted(worseFirst);
    if (worst === undefined) return missed.map((claim) => row(claim));
    const name = worst.what.split(/[,:]/)[0] ?? '';
    const of = worst.what.slice(name.length + 2);
    const rest = `${name} in ${missed.length === 0 ? 'each' : claims.length - missed.length} of ${claims.length} cases; the worst: ${of}`;
    return [row(worst, rest), ...missed.map((claim) => row(claim))];
  });
  return table(['target', 'goal', 'measured (limits)', ''], rows);
}

/** By what decides: the figure, or its limit. Rows with few runs have wide limits, and are not worse for that. */
function worseFirst(a: Claim, b: Claim): number {
  const end = ({ goal, estimate }: Claim) => ('atMost' in goal ? estimate.high : -estimate.low);
  const figure = ({ goal, estimate: { value } }: Claim) => ('atMost' in goal ? value : -value);
  return (a.strict ? 0 : figure(b) - figure(a)) || end(b) - end(a);
}

function targetRow(claim: Claim, what: string, form: 'short' | 'full'): Row {
  const verdict = verdictOn(claim, form);
  const told = { met: 'met', missed: `**missed**: ${reasonFor(claim)}`, open: 'open: too few runs to tell' }[verdict];
  return [what, `${goalText(claim)}${claim.strict ? ', limit' : ''}`, estimateText(claim), told];
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
