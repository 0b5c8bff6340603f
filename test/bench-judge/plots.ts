import { exposureOf, figure, medianOf, shareOf } from './claims.ts';
import { oursName } from './compare.ts';
import { errorsName } from './effects.ts';
import { nulls } from './nulls.ts';
import { lines, ranges } from './plot.ts';
import { bestTuned, judgeIn, type Results } from './targets.ts';

/** The plots of docs/judge.md. */
const rules = [
  oursName.errors,
  oursName.eight,
  'Flagger, threshold 5',
  'Flagger, threshold 10',
  'Argo Rollouts, failureLimit 0',
  'SageMaker alarm, 2 x 10 min',
  'Kayenta, every 15 min',
] as const;
const plotted = [1.25, 1.5, 2, 3, 5] as const;
const comparedNulls = ['N1 iid', 'N2 shared incident', 'N3 moving baseline'].map((name) => `${name}, 6000 rpm, 0.5 %`);

/** At most 1 % in each null of the comparison at 6,000 rpm. */
const isSafe = (results: Results, rule: string): boolean =>
  comparedNulls.every((name) => {
    const tally = results[name]?.[rule];
    return tally === undefined || shareOf(tally).value <= 0.01;
  });

function byEffect(results: Results, read: (tally: Parameters<typeof exposureOf>[0]) => number | undefined) {
  const tallies = plotted.map((ratio) => results[errorsName(6000, ratio)] ?? {});
  const own = rules.map((rule) => ({
    name: rule,
    values: tallies.map((given) => {
      const tally = given[rule];
      return tally === undefined ? undefined : read(tally);
    }),
    ...(rule.startsWith('this judge')
      ? { look: 'ours' as const }
      : isSafe(results, rule)
        ? {}
        : { look: 'unsafe' as const }),
  }));
  const best = tallies.map((given) => {
    const found = bestTuned(given, 'safe');
    return found === undefined ? undefined : read(found.tally);
  });
  return [...own, { name: 'best tuned limit of equal safety', values: best }];
}

const base = 'Base error 0.5 %, 6,000 requests a minute.';
const broken = 'Broken lines: rolls back more than 1 % of the innocent in N1, N2 or N3.';
const categories = plotted.map((ratio) => `x${ratio}`);

export const exposedPlot = (results: Results): string =>
  lines({
    title: 'Requests to a worse candidate until it is rolled back, mean',
    note: [base, broken],
    categories,
    series: byEffect(results, (tally) => exposureOf(tally).value),
    marks: [300, 1000, 3000, 10_000, 30_000, 100_000].map((value) => ({ value, text: value.toLocaleString('en-GB') })),
  });

export const detectionPlot = (results: Results): string =>
  lines({
    title: 'Minutes until a worse candidate is rolled back, median',
    note: [`${base} No point: not found in half of them.`, broken],
    categories,
    series: byEffect(results, (tally) => {
      const { value } = medianOf(tally);
      return Number.isFinite(value) ? value : undefined;
    }),
    marks: [1, 2, 5, 10, 20, 60].map((value) => ({ value, text: `${value} min` })),
  });

export const rulesPlot = (results: Results): string =>
  lines({
    title: 'Innocent candidates that are rolled back',
    joined: false,
    note: [`${base} The lowest mark is 0.03 % or less.`, broken],
    categories: ['N1 iid', 'N2 shared incident', 'N3 moving baseline'],
    series: rules.map((rule) => ({
      name: rule,
      values: comparedNulls.map((name) => {
        const tally = results[name]?.[rule];
        return tally === undefined ? undefined : shareOf(tally).value;
      }),
      ...(rule.startsWith('this judge')
        ? { look: 'ours' as const }
        : isSafe(results, rule)
          ? {}
          : { look: 'unsafe' as const }),
    })),
    marks: [0.0003, 0.001, 0.01, 0.1, 1].map((value) => ({ value, text: figure(value, 'share') })),
  });

export function falseRollbackPlot(results: Results): string {
  const rows = nulls.flatMap(({ name }) => {
    const tally = judgeIn(results[name] ?? {});
    return tally === undefined ? [] : [{ name, ...shareOf(tally) }];
  });
  return ranges(
    'False rollbacks of this judge by null, with Clopper-Pearson limits',
    ['Eight guardrails together, where the null has as many. The bound is alpha, 1 %.'],
    rows,
    0.01,
    0.0125,
  );
}
