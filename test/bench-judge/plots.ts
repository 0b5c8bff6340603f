import { type Estimate, exposureOf, figure, medianOf, shareOf } from './claims.ts';
import { comparedShare, oracleNames, others, oursName, settledName } from './compare.ts';
import { conditions, falseName, furtherConditions, knowledges, wrongName } from './conditions.ts';
import { errorsName } from './effects.ts';
import { nulls } from './nulls.ts';
import { dots, type Row } from './plot.ts';
import { waldBound } from './sequential.ts';
import type { Tally } from './tally.ts';
import { bestTuned, judgeIn, type Results } from './targets.ts';

/** The plots of docs/judge.md. */
const rpm = 6000;
const plotted = [1.5, 2, 3, 5] as const;
const ours = [oursName.default, settledName, oursName.errors, oursName.eight] as const;
export const bestName = 'best tuned limit, chosen with hindsight for each effect';

const compared = [
  ...['N1 iid', 'N2 shared incident', 'N3 moving baseline'].map((null_) => ({
    title: null_.replace(/ (shared|moving)/, ''),
    name: `${null_}, 6000 rpm, 0.5 %`,
  })),
  { title: 'N1, 600 rpm', name: 'N1 iid, 600 rpm, 0.5 %' },
];

/** More than 1 % in a null of the comparison. */
export const isUnsafe = (results: Results, rule: string): boolean =>
  compared.some(({ name }) => {
    const tally = results[name]?.[rule];
    return tally !== undefined && shareOf(tally).low > 0.01;
  });

const lookOf = (results: Results, rule: string): Pick<Row, 'look'> =>
  rule.startsWith('this judge') ? { look: 'ours' } : isUnsafe(results, rule) ? { look: 'unsafe' } : {};

/** Every rule in each effect; `read` answers a figure, or nothing. */
function byEffect(results: Results, read: (tally: Tally, ratio: number) => number | undefined): readonly Row[] {
  const pointsOf = (tallyIn: (ratio: number) => Tally | undefined) =>
    plotted.map((ratio) => {
      const tally = tallyIn(ratio);
      const value = tally === undefined ? undefined : read(tally, ratio);
      return value === undefined ? undefined : { value };
    });
  const named = (rule: string): Row => ({
    name: rule,
    ...lookOf(results, rule),
    points: pointsOf((ratio) => results[errorsName(rpm, ratio)]?.[rule]),
  });
  const reference = (name: string, points: Row['points']): Row => ({ name, look: 'reference', points });
  return [
    ...ours.map(named),
    reference(
      bestName,
      pointsOf((ratio) => bestTuned(results[errorsName(rpm, ratio)] ?? {}, 'safe')?.tally),
    ),
    ...Object.values(oracleNames).map((name) => ({ ...named(name), look: 'reference' as const })),
    ...Object.keys(others).map(named),
  ];
}

const base = 'Base error 0.5 %, 6,000 requests a minute, the weights of the default config.';
const hollow =
  'Blue: this judge. Orange: others. Empty dots: rolls back more than 1 % of the innocent in N1, N2 or N3.';
const grey = 'Grey: knows what nobody can know.';
const titles = plotted.map((ratio) => `errors x${ratio}`);
const marked = (values: readonly number[], text: (value: number) => string) =>
  values.map((value) => ({ value, text: text(value) }));

export const exposedPlot = (results: Results): string =>
  dots({
    title: 'Requests to a worse candidate until it is rolled back, as a multiple of the least that is possible',
    note: [
      base,
      "1 is Wald's bound of a test with alpha 1 % that knows both shares and looks after each request.",
      hollow,
      grey,
    ],
    panels: titles.map((title) => ({ title, marks: marked([1, 3, 10, 30, 100], (value) => `x${value}`) })),
    rows: byEffect(results, (tally, ratio) => exposureOf(tally).value / waldBound(ratio, comparedShare, 0.01)),
  });

export const detectionPlot = (results: Results): string =>
  dots({
    title: 'Minutes until a worse candidate is rolled back, median',
    note: [`${base} No dot: not found in half of the rollouts.`, hollow, grey],
    panels: titles.map((title) => ({ title, marks: marked([1, 3, 10, 30, 90], (value) => `${value}`) })),
    rows: byEffect(results, (tally) => {
      const { value } = medianOf(tally);
      return Number.isFinite(value) ? value : undefined;
    }),
  });

/** The unit stands at the last mark alone. */
const shares = (values: readonly number[]) =>
  marked(values, (value) =>
    value === values.at(-1) ? figure(value, 'share') : `${Number((100 * value).toPrecision(3))}`,
  );

export const rulesPlot = (results: Results): string =>
  dots({
    title: 'Innocent candidates that are rolled back',
    note: [base, 'Bars: 95 % limits. The red line is 1 %. What is below 0.01 % is drawn there.', hollow],
    panels: compared.map(({ title }) => ({ title, marks: shares([0.0001, 0.001, 0.01, 0.1, 1]), bound: 0.01 })),
    rows: [...ours, ...Object.keys(others)].map((rule) => ({
      name: rule,
      ...lookOf(results, rule),
      points: compared.map(({ name }) => pointOf(results[name]?.[rule])),
    })),
  });

const pointOf = (tally: Tally | undefined): Estimate | undefined => (tally === undefined ? undefined : shareOf(tally));

/** The worst of some: that with the highest upper limit. */
const worst = (estimates: readonly (Estimate | undefined)[]): Estimate | undefined =>
  estimates.filter((one) => one !== undefined).toSorted((a, b) => b.high - a.high)[0];

/** One row a family of nulls, the worst of its cells, the worst family first. */
export function falseRollbackPlot(results: Results): string {
  const families = Map.groupBy(nulls, ({ name }) => name.split(/, (?=\d)/)[0] ?? name);
  const rows = [...families].flatMap(([family, cells]) => {
    const point = worst(cells.map(({ name }) => pointOf(judgeIn(results[name] ?? {}))));
    return point === undefined ? [] : [{ name: `${family} (${cells.length})`, look: 'ours' as const, points: [point] }];
  });
  return dots({
    title: 'False rollbacks of this judge where its conditions hold',
    note: [
      'Eight guardrails together. In brackets: the cells of a null; the worst of them is drawn, with its 95 % limits.',
      'The red line is alpha, 1 %. What is below 0.01 % is drawn there.',
    ],
    panels: [{ title: '', marks: shares([0.0001, 0.001, 0.01, 0.02]), bound: 0.01 }],
    rows: rows.toSorted((a, b) => (b.points[0]?.value ?? 0) - (a.points[0]?.value ?? 0)),
  });
}

/** One row a kind of weather, the worst of its traffics. */
export function conditionsPlot(results: Results): string {
  const groups = Map.groupBy([...conditions, ...furtherConditions], ({ name }) => name.replace(/, \d+ rpm$/, ''));
  const columns = [
    ...knowledges.map((known) => ({
      title: known === 'no history' ? 'innocent, no history' : 'innocent',
      bound: 0.01,
      nameOf: falseName,
      known,
    })),
    ...knowledges.map((known) => ({
      title: known === 'no history' ? 'margin, no history' : 'margin',
      bound: 0.05,
      nameOf: wrongName,
      known,
    })),
  ];
  return dots({
    title: 'What each condition is worth: the shipped default in weather that breaks it',
    note: [
      'Innocent: rolled back by the evidence, red line 1 %. Margin: twice as bad and promoted with a certificate, red line 5 %.',
      'The worst of its traffics, with 95 % limits. What is below 0.1 % is drawn there. Grey: no bound speaks of it.',
    ],
    panels: columns.map(({ title, bound }) => ({ title, bound, marks: shares([0.001, 0.01, 0.1, 1]) })),
    rows: [...groups].map(([name, cells]) => ({
      name,
      look: cells[0]?.isUnprotected ? ('reference' as const) : ('ours' as const),
      points: columns.map(({ nameOf, known }) =>
        worst(cells.map((condition) => pointOf(results[nameOf(condition, known)]?.judge))),
      ),
    })),
  });
}
