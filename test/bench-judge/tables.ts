import { falseShares } from './calibration.ts';
import { exposureOf, figure, medianOf, shareOf, shareWithin } from './claims.ts';
import { comparedRpms, limitKey, others, oursName, tunedName } from './compare.ts';
import {
  errorRatios,
  errorsName,
  healthyName,
  latencyName,
  latencyTexts,
  marginNames,
  qualityName,
  qualityPoints,
} from './effects.ts';
import { nulls } from './nulls.ts';
import type { Tallies, Tally } from './tally.ts';
import { bestTuned, judgeIn, type Results } from './targets.ts';
import { shapes } from './tuned.ts';

/** The tables of docs/judge.md, as markdown. */
export type Row = readonly string[];
export const table = (head: Row, rows: readonly Row[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

const share = (value: number): string => figure(value, 'share');
const minutes = (value: number): string => figure(value, 'minutes');
const requests = (value: number): string => figure(value, 'requests');

/** The judge in every null. */
export function nullsTable(results: Results): string {
  const rows = nulls.flatMap(({ name }): readonly Row[] => {
    const tallies = results[name] ?? {};
    const tally = judgeIn(tallies);
    if (tally === undefined) return [];
    const { value, low, high } = shareOf(tally);
    const held =
      (tallies[`${oursName.eight}: held for wrong routing`] ?? tallies['judge: held for wrong routing'])?.runs ?? 0;
    return [
      [
        name,
        tally.runs.toLocaleString('en-GB'),
        String(tally.found),
        share(value),
        `${share(low)} to ${share(high)}`,
        String(held),
      ],
    ];
  });
  return table(['null', 'runs', 'rolled back', 'share', 'limits (Clopper-Pearson, 95 %)', 'held for routing'], rows);
}

/** What the nulls would cost a judge that leaves out a condition. */
export function conditionsTable(results: Results): string {
  const rows = nulls.flatMap(({ name }) =>
    Object.entries(results[name] ?? {})
      .filter(([rule]) => ['without maxBurst', 'counted where they arrive'].includes(rule))
      .map(([rule, tally]): Row => [name, rule, share(shareOf(tally).value)]),
  );
  return table(['null', 'with the mistake', 'false rollback'], rows);
}

const comparedNulls = ['N1 iid', 'N2 shared incident', 'N3 moving baseline'];
const ruleNames = [oursName.errors, oursName.default, oursName.eight, ...Object.keys(others)];

/** Every rule in the nulls of the comparison. */
export function falseRollbackTable(results: Results): string {
  const places = comparedRpms.toReversed().flatMap((rpm) => comparedNulls.map((name) => `${name}, ${rpm} rpm, 0.5 %`));
  return table(
    ['false rollback', ...places.map((name) => name.replace(', 0.5 %', ''))],
    ruleNames.map((rule) => [
      rule,
      ...places.map((name) => cellOf(results[name]?.[rule], (tally) => share(shareOf(tally).value))),
    ]),
  );
}

export const cellOf = (tally: Tally | undefined, show: (tally: Tally) => string): string =>
  tally === undefined ? '' : show(tally);

/** Found, median and exposed requests of every rule at one traffic. */
export function effectsTable(results: Results, rpm: number): string {
  const names = errorRatios.map((ratio) => errorsName(rpm, ratio)).filter((name) => results[name] !== undefined);
  const shown = (tally: Tally) =>
    `${share(shareOf(tally).value)}, ${minutes(medianOf(tally).value)}, ${requests(exposureOf(tally).value)}`;
  const best = (tuning: string, what: string): Row => [
    what,
    ...names.map((name) => cellOf(bestTuned(results[name] ?? {}, tuning)?.tally, shown)),
  ];
  return table(
    ['found, median, exposed', ...names.map((name) => name.replace('errors ', '').replace(/, .*/, ''))],
    [
      ...ruleNames.map((rule): Row => [rule, ...names.map((name) => cellOf(results[name]?.[rule], shown))]),
      ...(comparedRpms.some((compared) => compared === rpm)
        ? [best('safe', 'best tuned limit, 1 % in N1, N2 and N3'), best('iid', 'best tuned limit, 1 % in N1 alone')]
        : []),
    ],
  );
}

export function namedTable(results: Results, names: readonly string[]): string {
  const rows = names.flatMap((name) =>
    Object.entries(results[name] ?? {})
      .filter(([rule]) => !rule.endsWith('routing'))
      .map(([rule, tally]): Row => {
        const [found, median, exposed] = [shareOf(tally).value, medianOf(tally).value, exposureOf(tally).value];
        return [name, rule, share(found), minutes(median), exposed === 0 ? '' : requests(exposed)];
      }),
  );
  return table(['effect', 'rule', 'found', 'median', 'exposed'], rows);
}

export const latencyTable = (results: Results): string =>
  namedTable(
    results,
    comparedRpms.toReversed().flatMap((rpm) => latencyTexts.map((text) => latencyName(rpm, text))),
  );

export function qualityTable(results: Results): string {
  const rows = [0, ...qualityPoints].map((points): Row => {
    const tally = results[qualityName(points)]?.['this judge, paired shadow'];
    if (tally === undefined) return [`+${points}`, '', '', ''];
    const median = medianOf(tally).value;
    return [`+${points}`, share(shareOf(tally).value), minutes(median), requests(median * 60)];
  });
  return table(['points more wrong', 'found within a day', 'median', 'labelled pairs by then'], rows);
}

/** Limit and cost of each window, at its best start and number in a row. */
export function tunedTable(
  results: Results,
  tuning: Results,
  limits: Readonly<Record<string, number>>,
  rpm: number,
): string {
  const names = [2, 3, 5].map((ratio) => errorsName(rpm, ratio));
  const exposed = (name: string, key: string) => {
    const tally = results[name]?.[key];
    return tally === undefined ? Number.POSITIVE_INFINITY : exposureOf(tally).value;
  };
  const rows = (['safe', 'iid'] as const).flatMap((how) => {
    const groups = Map.groupBy(shapes, ({ kind, window }) => `${kind} ${window}`);
    return [...groups.values()].flatMap((group): readonly Row[] => {
      const [best] = group.toSorted(
        (a, b) => exposed(names[0] ?? '', tunedName(how, a.name)) - exposed(names[0] ?? '', tunedName(how, b.name)),
      );
      if (best === undefined) return [];
      const limit = limits[limitKey(rpm, how, best.name)] ?? Number.POSITIVE_INFINITY;
      const shown = best.kind === 'absolute' ? share(limit) : `x${limit.toPrecision(3)}`;
      const wrong = falseShares(tuning, rpm, best.name, limit).map(share);
      return [
        [
          how === 'safe' ? 'N1, N2, N3' : 'N1',
          best.name,
          shown,
          ...wrong,
          ...names.map((name) => requests(exposed(name, tunedName(how, best.name)))),
        ],
      ];
    });
  });
  return table(['tuned to 1 % in', 'shape', 'limit', 'false in N1', 'N2', 'N3', 'exposed at x2', 'x3', 'x5'], rows);
}

export function promotionTable(results: Results): string {
  const rows = marginNames.flatMap((name): readonly Row[] => {
    const tally = results[name]?.promoted;
    if (tally === undefined) return [];
    const { value, low, high } = shareOf(tally);
    return [
      [
        name.replace('as bad as the margin: ', ''),
        tally.runs.toLocaleString('en-GB'),
        share(value),
        `${share(low)} to ${share(high)}`,
      ],
    ];
  });
  return table(['as bad as the margin', 'runs', 'promoted', 'limits'], rows);
}

export function healthyTable(results: Results): string {
  const rows = [6000, 600, 60].flatMap((rpm) =>
    (['errors', 'default', 'eight'] as const).flatMap((family): readonly Row[] => {
      const tally: Tally | undefined = (results[healthyName(rpm)] as Tallies | undefined)?.[family];
      if (tally === undefined) return [];
      const within = (ticks: number) => share(shareWithin(tally, ticks).value);
      return [[String(rpm), oursName[family], figure(medianOf(tally).value, 'ticks'), within(15), within(60)]];
    }),
  );
  return table(['rpm', 'what must be certified', 'median', 'within 15 ticks', 'within 60'], rows);
}
