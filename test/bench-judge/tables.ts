import { falseShares } from './calibration.ts';
import { type Estimate, exposureOf, figure, medianOf, quantileOf, shareOf, shareWithin } from './claims.ts';
import {
  comparedRpms,
  comparedShare,
  limitKey,
  oracleNames,
  others,
  oursName,
  settledName,
  tunedName,
} from './compare.ts';
import { type Condition, conditions, falseName, furtherConditions, type Knowledge, wrongName } from './conditions.ts';
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
import { type Row, table } from './markdown.ts';
import { nulls } from './nulls.ts';
import { bestName } from './plots.ts';
import { waldBound } from './sequential.ts';
import type { Tallies, Tally } from './tally.ts';
import { bestTuned, judgeIn, type Results } from './targets.ts';
import { shapes } from './tuned.ts';

/** The tables of docs/judge.md, as markdown. */
const share = (value: number): string => figure(value, 'share');
const minutes = (value: number): string => figure(value, 'minutes');
const requests = (value: number): string => figure(value, 'requests');

/** What the default does, and what it costs: the first table of the page. */
export function defaultTable(results: Results): string {
  const rows = [6000, 600, 60].flatMap((rpm): readonly Row[] => [
    ...[1.5, 2, 3, 5].flatMap((ratio) => defaultRow(results, rpm, errorsName(rpm, ratio), ratio)),
    ...['x1.25', 'x1.5'].flatMap((text) => defaultRow(results, rpm, latencyName(rpm, text))),
  ]);
  return table(
    [
      'requests a minute',
      'candidate',
      'taken back',
      'median',
      'requests to it, mean',
      'least possible',
      'on AWS: median, requests',
      'rollouts',
    ],
    rows,
  );
}

/** A candidate as good as its champion, from its first request on. */
export function calmTable(results: Results): string {
  const rows = conditions
    .filter(({ name }) => name.startsWith('calm'))
    .flatMap((condition): readonly Row[] => {
      const tallies = results[falseName(condition, 'with history')] ?? {};
      const [judge, promoted] = [tallies.judge, tallies.promoted];
      if (judge === undefined || promoted === undefined) return [];
      const ended = (...ends: readonly string[]) =>
        share(ends.reduce((sum, end) => sum + (tallies[`ended: ${end}`]?.runs ?? 0), 0) / judge.runs);
      const within = (part: number) => minutes(quantileOf(promoted, part));
      return [
        [
          condition.weather.rpm.toLocaleString('en-GB'),
          ended('certified'),
          within(0.5),
          within(0.9),
          share((tallies['was held']?.runs ?? 0) / judge.runs),
          upTo(shareOf(judge)),
          ended('limit', 'routing', 'hold', 'together', 'inconclusive'),
          runsText(judge),
        ],
      ];
    })
    .toReversed();
  return table(
    [
      'requests a minute',
      'certified',
      'median',
      'nine of ten',
      'held on the way',
      'taken back by evidence',
      'by policy',
      'rollouts',
    ],
    rows,
  );
}

function defaultRow(results: Results, rpm: number, name: string, ratio?: number): readonly Row[] {
  const [tally, settled] = [results[name]?.[oursName.default], results[name]?.[settledName]];
  if (tally === undefined) return [];
  const bound = ratio === undefined ? '' : requests(waldBound(ratio, comparedShare, 0.01));
  const later =
    settled === undefined ? '' : `${minutes(medianOf(settled).value)}, ${requests(exposureOf(settled).value)}`;
  const what = name.replace(/, \d+ rpm$/, '');
  return [
    [
      rpm.toLocaleString('en-GB'),
      what,
      share(shareOf(tally).value),
      minutes(medianOf(tally).value),
      requests(exposureOf(tally).value),
      bound,
      later,
      runsText(tally),
    ],
  ];
}

const upTo = ({ value, high }: Estimate): string => `${share(value)} (<= ${share(high)})`;

/** One row a kind of weather; the traffics beside each other. */
export function conditionsTable(results: Results): string {
  const groups = Map.groupBy(conditions, ({ name }) => name.replace(/, \d+ rpm$/, ''));
  const rows = [...groups].map(([name, cells]): Row => {
    const at = (rpm: number) => cells.find(({ weather }) => weather.rpm === rpm);
    const cell = (tally: Tally | undefined) => cellOf(tally, (found) => upTo(shareOf(found)));
    const innocent = (condition: Condition | undefined, known: Knowledge) =>
      condition === undefined ? '' : cell(results[falseName(condition, known)]?.judge);
    const worst = (nameOf: typeof falseName, known: Knowledge) =>
      cell(worstOf(cells.map((condition) => results[nameOf(condition, known)]?.judge)));
    return [
      cells[0]?.breaks ?? '',
      name,
      runsIn(results, cells),
      ...[60, 600, 6000].map((rpm) => innocent(at(rpm), 'with history')),
      worst(falseName, 'no history'),
      byPolicy(results, cells),
      certifiedIn(results, cells),
      worst(wrongName, 'with history'),
      worst(wrongName, 'no history'),
    ];
  });
  return table(
    [
      'what is broken',
      'weather',
      'runs a cell: innocent, without history, at the margin',
      'innocent, taken back: 60 rpm',
      '600 rpm',
      '6,000 rpm',
      'without history, worst',
      'by policy, worst',
      'certified, worst to best',
      'at the margin, promoted: worst',
      'without history',
    ],
    rows,
  );
}

/** Other traffic, and what no promise speaks of: a row for each. */
export function furtherTable(results: Results): string {
  const rows = furtherConditions.flatMap((condition): readonly Row[] => {
    const innocent = (known: Knowledge) => results[falseName(condition, known)]?.judge;
    const wrong = (known: Knowledge) =>
      cellOf(results[wrongName(condition, known)]?.judge, (tally) => upTo(shareOf(tally)));
    const known = innocent('with history');
    if (known === undefined) return [];
    return [
      [
        condition.breaks,
        condition.name,
        runsText(known),
        upTo(shareOf(known)),
        cellOf(innocent('no history'), (tally) => upTo(shareOf(tally))),
        byPolicy(results, [condition]),
        certifiedIn(results, [condition]),
        wrong('with history'),
        wrong('no history'),
        condition.isUnprotected ? 'nothing' : 'both bounds',
      ],
    ];
  });
  return table(
    [
      'what is broken',
      'weather',
      'runs',
      'innocent, taken back',
      'without history',
      'by policy',
      'certified',
      'at the margin, promoted',
      'without history',
      'promised',
    ],
    rows,
  );
}

const runsText = ({ runs }: Tally): string => runs.toLocaleString('en-GB');

const worstOf = (tallies: readonly (Tally | undefined)[]): Tally | undefined =>
  tallies.filter((tally) => tally !== undefined).toSorted((a, b) => shareOf(b).high - shareOf(a).high)[0];

function runsIn(results: Results, [cell]: readonly Condition[]): string {
  if (cell === undefined) return '';
  const names = [falseName(cell, 'with history'), falseName(cell, 'no history'), wrongName(cell, 'with history')];
  return names.flatMap((name) => cellOf(results[name]?.judge, runsText) || []).join(', ');
}

/** Innocent rollouts that a limit, a hold or routing took back: no bound speaks of these. */
function byPolicy(results: Results, cells: readonly Condition[]): string {
  const shares = cells.flatMap((condition) => {
    const tallies = results[falseName(condition, 'with history')] ?? {};
    const runs = tallies.judge?.runs ?? 0;
    const back = ['limit', 'routing', 'hold', 'together', 'inconclusive']
      .map((end) => ({
        end,
        part: (tallies[`ended: ${end}`]?.runs ?? 0) / Math.max(1, runs),
      }))
      .toSorted((a, b) => b.part - a.part)[0];
    return runs === 0 || back === undefined ? [] : [back];
  });
  const most = shares.toSorted((a, b) => b.part - a.part)[0];
  return most === undefined ? '' : most.part === 0 ? share(0) : `${share(most.part)} (${most.end})`;
}

/** Innocent rollouts that were certified in the time that a last step has. */
function certifiedIn(results: Results, cells: readonly Condition[]): string {
  const shares = cells.flatMap((condition) => {
    const tallies = results[falseName(condition, 'with history')] ?? {};
    return tallies.judge === undefined ? [] : [(tallies['ended: certified']?.runs ?? 0) / tallies.judge.runs];
  });
  const [least, most] = [share(Math.min(...shares)), share(Math.max(...shares))];
  return shares.length === 0 ? '' : least === most ? least : `${least} to ${most}`;
}

/** The judge where its conditions hold: the worst cell of each null. */
export function nullsTable(results: Results): string {
  const families = Map.groupBy(nulls, ({ name }) => name.split(/, (?=\d)/)[0] ?? name);
  const rows = [...families].flatMap(([family, cells]): readonly Row[] => {
    const found = cells.flatMap(({ name }) => {
      const tally = judgeIn(results[name] ?? {});
      return tally === undefined ? [] : [{ name, tally }];
    });
    const [worst] = found.toSorted((a, b) => shareOf(b.tally).high - shareOf(a.tally).high);
    if (worst === undefined) return [];
    const { value, low, high } = shareOf(worst.tally);
    const cell = worst.name.replace(`${family}, `, '');
    return [
      [
        family,
        String(found.length),
        cell === family ? '' : cell,
        worst.tally.runs.toLocaleString('en-GB'),
        share(value),
        `${share(low)} to ${share(high)}`,
      ],
    ];
  });
  return table(['null', 'cells', 'the worst of them', 'runs', 'rolled back', 'limits (Clopper-Pearson, 95 %)'], rows);
}

const comparedNulls = ['N1 iid', 'N2 shared incident', 'N3 moving baseline'];
const ruleNames = [
  oursName.default,
  settledName,
  oursName.errors,
  oursName.eight,
  ...Object.values(oracleNames),
  ...Object.keys(others),
];

/** Without the fixed limits, whose figures at other traffic say little more. */
const fewerNames = ruleNames.filter((rule) => !rule.includes('limit'));

/** Every rule in the nulls of the comparison. */
export function falseRollbackTable(results: Results): string {
  const places = comparedRpms.toReversed().flatMap((rpm) => comparedNulls.map((name) => `${name}, ${rpm} rpm, 0.5 %`));
  return table(
    ['false rollback', ...places.map((name) => name.replace(', 0.5 %', ''))],
    [
      ...ruleNames.map((rule) => [
        rule,
        ...places.map((name) => cellOf(results[name]?.[rule], (tally) => share(shareOf(tally).value))),
      ]),
      ['rollouts', ...places.map((name) => cellOf(results[name]?.[oursName.default], runsText))],
    ],
  );
}

export const cellOf = (tally: Tally | undefined, show: (tally: Tally) => string): string =>
  tally === undefined ? '' : show(tally);

/** Found, median and exposed requests of every rule at one traffic. */
export function effectsTable(results: Results, rpm: number): string {
  const names = errorRatios.map((ratio) => errorsName(rpm, ratio)).filter((name) => results[name] !== undefined);
  const shown = (tally: Tally) =>
    `${share(shareOf(tally).value)}, ${minutes(medianOf(tally).value)}, ${requests(exposureOf(tally).value)}`;
  const isCompared = comparedRpms.some((compared) => compared === rpm);
  const best = (tuning: string, what: string): Row => [
    what,
    ...names.map((name) => cellOf(bestTuned(results[name] ?? {}, tuning)?.tally, shown)),
  ];
  return table(
    ['found, median, exposed', ...names.map((name) => name.replace('errors ', '').replace(/, .*/, ''))],
    [
      [
        "Wald's bound: no test needs fewer",
        ...errorRatios
          .filter((ratio) => names.includes(errorsName(rpm, ratio)))
          .map((ratio) => requests(waldBound(ratio, comparedShare, 0.01))),
      ],
      ...(isCompared ? ruleNames : fewerNames).map(
        (rule): Row => [rule, ...names.map((name) => cellOf(results[name]?.[rule], shown))],
      ),
      ...(isCompared
        ? [best('safe', `${bestName}: 1 % in N1, N2 and N3`), best('iid', `${bestName}: 1 % in N1 alone`)]
        : []),
      ['rollouts', ...names.map((name) => cellOf(results[name]?.[oursName.default], runsText))],
    ],
  );
}

export function namedTable(results: Results, names: readonly string[]): string {
  const rows = names.flatMap((name) =>
    Object.entries(results[name] ?? {})
      .filter(([rule]) => !rule.endsWith('routing') && !rule.includes(', limit '))
      .map(([rule, tally]): Row => {
        const [found, median, exposed] = [shareOf(tally).value, medianOf(tally).value, exposureOf(tally).value];
        return [name, rule, share(found), minutes(median), exposed === 0 ? '' : requests(exposed), runsText(tally)];
      }),
  );
  return table(['effect', 'rule', 'found', 'median', 'exposed', 'rollouts'], rows);
}

export const latencyTable = (results: Results): string =>
  namedTable(
    results,
    comparedRpms.toReversed().flatMap((rpm) => latencyTexts.map((text) => latencyName(rpm, text))),
  );

export function qualityTable(results: Results): string {
  const rows = [0, ...qualityPoints].map((points): Row => {
    const tally = results[qualityName(points)]?.['this judge, paired shadow'];
    if (tally === undefined) return [`+${points}`, '', '', '', ''];
    const median = medianOf(tally).value;
    return [`+${points}`, share(shareOf(tally).value), minutes(median), requests(median * 60), runsText(tally)];
  });
  return table(['points more wrong', 'found within a day', 'median', 'labelled pairs by then', 'runs'], rows);
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
    (['default', 'errors', 'eight'] as const).flatMap((family): readonly Row[] => {
      const tally: Tally | undefined = (results[healthyName(rpm)] as Tallies | undefined)?.[family];
      if (tally === undefined) return [];
      const within = (ticks: number) => share(shareWithin(tally, ticks).value);
      return [
        [
          String(rpm),
          oursName[family],
          figure(medianOf(tally).value, 'ticks'),
          within(15),
          within(60),
          runsText(tally),
        ],
      ];
    }),
  );
  return table(['rpm', 'what must be certified', 'median', 'within 15 ticks', 'within 60', 'runs'], rows);
}
