import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { replaceBlock } from '../../scripts/docs.ts';
import {
  type Claim,
  estimateText,
  figure,
  goalText,
  medianOf,
  shareOf,
  shareWithin,
  verdictOn,
} from '../bench-judge/claims.ts';
import { table } from '../bench-judge/markdown.ts';
import type { Beside } from './beside.ts';
import { effectName, effects, histories } from './effects.ts';
import { meanText, type Results, shareText, short, tallyOf, yearlyText } from './figures.ts';
import { goalsOn } from './goals.ts';
import { lateChanges, lateYears } from './late.ts';
import { bySize, dependent, type Null, otherShapes, plain } from './nulls.ts';
import { examplePlot, quietPlot, shiftPlot } from './plots.ts';
import type { Real } from './real.ts';
import { quietName, quietSizes, ruleColumns } from './rule-cases.ts';
import { rules } from './rules.ts';
import type { Speed } from './speed.ts';

export interface Measured {
  readonly results: Results;
  readonly seed: number;
  /** Of the runs of the full form. */
  readonly part: number;
  readonly took: string;
  /** Runs that were left out, for the time was over. */
  readonly left: number;
  readonly speed?: Speed | undefined;
  readonly beside?: readonly Beside[] | undefined;
  readonly real?: Real | undefined;
}

export const docs = join(import.meta.dirname, '../../docs');
const maker = 'npm run bench:drift';

/** Writes the plots, and the blocks of drift.md that are measured. Answers what was written. */
export function writeReport(measured: Measured, into: string): readonly string[] {
  const files = {
    'drift.md': pageOf(readFileSync(join(docs, 'drift.md'), 'utf8'), measured),
    'drift/false-alarms.svg': quietPlot(measured.results),
    'drift/detection.svg': shiftPlot(measured.results),
    'drift/example.svg': examplePlot(measured.seed),
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(into, name)), { recursive: true });
    writeFileSync(join(into, name), content);
  }
  return Object.keys(files).map((name) => join(into, name));
}

export const pageOf = (page: string, measured: Measured): string =>
  Object.entries(blocks).reduce((text, [name, of]) => replaceBlock(text, name, maker, of(measured)), page);

const blocks: Readonly<Record<string, (measured: Measured) => string>> = {
  run: ({ seed, part, took, left }) =>
    `Seed ${seed}; ${part === 1 ? 'all' : `${Math.round(1000 * part) / 10} %`} of the runs of the full form${left === 0 ? '' : `, of which the time left out ${left.toLocaleString('en-GB')}`}; ${took} on ${availableParallelism()} busy cores, Node ${process.versions.node}. The same seed and the same numbers of runs give the same figures; times do not.`,
  goals: ({ results, speed, part, left }) =>
    table(
      ['what', 'goal', 'measured (limits)', 'runs', ''],
      goalsOn(results, speed).map((claim) => [
        claim.what,
        goalText(claim),
        measuredText(claim),
        runsOf(results, claim.what),
        { met: 'met', missed: '**missed**', open: 'open: too few runs to tell' }[
          verdictOn(claim, part === 1 && left === 0 ? 'full' : 'short')
        ],
      ]),
    ),
  'no change': ({ results }) => nullTable(results, [plain, ...bySize, ...otherShapes]),
  dependence: ({ results }) => nullTable(results, dependent),
  detection: ({ results }) =>
    table(
      ['change of one column of 30', 'runs', 'median', 'first window', 'within 3', 'within 7', 'within 30'],
      effects.flatMap(({ name }) =>
        histories.map((history) => {
          const tally = tallyOf(results, effectName(name, history), 'serin');
          const within = (windows: number) => `${short(100 * shareWithin(tally, windows).value)} %`;
          const median = medianOf(tally).value;
          return [
            effectName(name, history),
            String(tally.runs),
            figure(median, 'windows'),
            ...[1, 3, 7, 30].map(within),
          ];
        }),
      ),
    ),
  labels: ({ results }) =>
    table(
      ['labels', 'years or runs', 'false alarms a year (<= limit)', 'median until the alarm', 'within 30 windows'],
      [...lateYears, ...lateChanges].map((late) => {
        const tally = tallyOf(results, `labels: ${late.name}`, 'serin');
        const isYear = lateYears.includes(late);
        return [
          late.name,
          String(tally.runs),
          isYear ? yearlyText(tally) : '',
          isYear ? '' : figure(medianOf(tally).value, 'windows'),
          isYear ? '' : `${short(100 * shareWithin(tally, 30).value)} %`,
        ];
      }),
    ),
  rules: () =>
    table(
      ['rule', 'a column alarms at', 'written after'],
      rules.map(({ name, says, source }) => [name, says, source]),
    ),
  'false alarms': ({ results }) =>
    table(
      ['', ...quietSizes.map(({ n, m }) => `n ${n.toLocaleString('en-GB')}, m ${m.toLocaleString('en-GB')}`)],
      ['serin', ...rules.map(({ name }) => name), 'Evidently, dataset'].map((tool) => [
        toolName(tool),
        ...quietSizes.map((size) => {
          const tally = tallyOf(results, quietName(size), tool);
          if (tally.runs === 0) return '';
          const days = short(365 * shareOf(tally).value);
          if (tool === 'Evidently, dataset') return days;
          return `${days} (${short((1000 * tally.exposed) / tally.runs / ruleColumns)} of 1,000)`;
        }),
      ]),
    ),
  installed: ({ beside }) =>
    beside === undefined || beside.every(({ installed }) => installed === undefined)
      ? 'No package was installed for this run (`npm run bench:drift -- --install`).'
      : table(
          ['package', 'n, m', 'columns that alarm, window by window: the rule here', 'the package'],
          beside.map(({ package: name, n, m, rule, installed }) => [
            name,
            `${n.toLocaleString('en-GB')}, ${m.toLocaleString('en-GB')}`,
            rule.join(', '),
            installed?.join(', ') ?? 'not installed',
          ]),
        ),
  speed: ({ speed }) => (speed === undefined ? 'Not measured in this run.' : speedTable(speed)),
  flights: ({ real }) => (real === undefined ? 'Not measured in this run (`--install`).' : realTable(real)),
};

function measuredText(claim: Claim): string {
  const { estimate, unit } = claim;
  if (unit === 'a year') return `${short(estimate.value)} (<= ${short(estimate.high)})`;
  const text = estimateText(claim);
  return estimate.low === estimate.high && ['ms', 'MB', 'M/s'].includes(unit) ? (text.split(' (')[0] ?? '') : text;
}

const toolName = (tool: string): string => (tool === 'serin' ? '**Serin**' : tool);

function runsOf(results: Results, what: string): string {
  const name = what.split(':')[0] ?? '';
  const nothing = what.replace('false incidents, ', '');
  const tallies = results[name] ?? results[nothing] ?? results[`nothing, ${nothing}`];
  const runs = tallies?.serin?.runs ?? tallies?.['both gates']?.runs;
  if (runs !== undefined) return String(runs);
  return what.startsWith('false incidents, n 10,000, m 1,000')
    ? String(tallyOf(results, plain.name, 'both gates').runs)
    : '';
}

const nullTable = (results: Results, rows: readonly Null[]): string =>
  table(
    [
      'what the rows are like',
      'years',
      'incidents a year (<= limit)',
      'windows in alarm',
      'years told `not calibrated`',
      '',
    ],
    rows.map(({ name, isProved }) => [
      name,
      String(tallyOf(results, name, 'both gates').runs),
      yearlyText(tallyOf(results, name, 'both gates')),
      meanText(tallyOf(results, name, 'alarmed')),
      shareText(tallyOf(results, name, 'not calibrated')),
      isProved === true ? 'proven <= 1' : 'measured only',
    ]),
  );

function speedTable({ counted, judgedMs, csv, texts, parquet, others, fileMegabytes }: Speed): string {
  const pace = ({ perSecond, megabytes }: { readonly perSecond: number; readonly megabytes: number }) => [
    `${short(perSecond)} M`,
    `${Math.round(megabytes)} MB`,
  ];
  return table(
    ['', 'values a second of one core', 'resident at most'],
    [
      [`**Serin**, a CSV of ${Math.round(fileMegabytes)} MB profiled in full`, ...pace(csv)],
      ...Object.entries(others).map(([name, found]) => [
        `${name}, the same file`,
        ...(found === undefined ? ['not installed', ''] : pace(found)),
      ]),
      [
        '**Serin**, the same file as Parquet profiled in full',
        ...(parquet === undefined ? ['not measured', ''] : pace(parquet)),
      ],
      ['**Serin**, a CSV of texts only', ...pace(texts)],
      ['**Serin**, live values counted on 1,000 columns of 256 cells', ...pace(counted)],
      ['**Serin**, a window of 1,000 columns judged', `${Math.round(judgedMs)} ms`, ''],
    ],
  );
}

function realTable({ windows, incidents, columns, others }: Real): string {
  const rows = columns.map(({ name, drifted, first, largest, notCalibrated }) => [
    `\`${name}\``,
    first === undefined ? '' : `window ${first}`,
    String(drifted),
    short(largest),
    notCalibrated ? 'told' : '',
  ]);
  const told = Object.entries(others).map(([rule, days]) => `${rule} ${days}`);
  return `${table(['column', 'first alarm', 'windows in alarm', 'largest size', '`not calibrated`'], rows)}

${incidents} incidents in ${windows} windows. Windows in which any column alarms by the rules of others: ${told.join(', ')}.`;
}
