import { columnLabel } from '@serin/core/drift/answers';
import { barsOf } from '../bars.ts';
import type { Document } from '../client.ts';
import { argument, type Command, clientOf, path, show } from '../invocation.ts';
import { hint, screenOf } from '../screens/parts.ts';
import { type Reader, table, textOf, valueAt } from '../table.ts';
import { paragraph } from '../width.ts';

/** What drifted and how surely, the columns side by side with their training data, and the last windows. */
export const drift: Command = async (invocation) => {
  const model = argument(invocation, 0);
  const document = await (await clientOf(invocation)).get(path`/v1/models/${model}/drift`);
  show(invocation, document, () => driftScreen(document, invocation.terminal));
  return 0;
};

const windowsShown = 7;

function driftScreen(document: Document, terminal: Reader): string {
  const rowsAt = (name: string): readonly unknown[] => {
    const rows = valueAt(document, name);
    return Array.isArray(rows) ? rows : [];
  };
  const columns = rowsAt('columns').map(columnRow);
  const windows = rowsAt('windows').slice(-windowsShown).reverse().map(windowRow);
  const [uncalibrated, days] = [textOf('', document.uncalibrated), textOf('', document.days)];
  const answers = textOf('', valueAt(document, 'answers.sentence'));
  return screenOf(
    textOf('', document.model),
    [
      { text: `${paragraph(textOf('', document.sentence), terminal).join('\n')}\n` },
      hint(answers === '' ? '' : `${answers[0]?.toUpperCase()}${answers.slice(1)}.`, terminal),
      hint(uncalibrated === '' ? '' : `False alarms may be more frequent than promised: ${uncalibrated}.`, terminal),
      hint(days === '' ? '' : `Seasons: ${days}.`, terminal),
      {
        heading: 'Columns that changed most',
        text: columns.length === 0 ? '' : table(columns, columnTitles, terminal),
      },
      {
        heading: 'Windows, the last one first',
        text: windows.length === 0 ? '' : table(windows, windowTitles, terminal),
      },
      ...performanceParts(
        rowsAt('performance.windows'),
        textOf('', valueAt(document, 'performance.sentence')),
        terminal,
      ),
      ...estimateParts(rowsAt('estimate.windows'), textOf('', valueAt(document, 'estimate.sentence')), terminal),
    ],
    terminal,
  );
}

/** What labels say of the champion, where the config asks for it. */
function performanceParts(windows: readonly unknown[], sentence: string, terminal: Reader) {
  const rows = windows.slice(-windowsShown).reverse().map(lossRow);
  return [
    {
      heading: sentence === '' ? '' : 'Labels that came later',
      text: sentence === '' ? '' : `${paragraph(sentence, terminal).join('\n')}\n`,
    },
    { text: rows.length === 0 ? '' : table(rows, lossTitles, terminal) },
    truthsPart(windows, terminal),
  ];
}

/** Beside what is lost: how good predictions of a class are, or how far off numbers. */
function truthsPart(windows: readonly unknown[], terminal: Reader) {
  const rows = windows.filter((window) => valueAt(window, 'truths') !== undefined).map(truthsRow);
  return {
    heading: rows.length === 0 ? '' : 'What the labels say beyond that, with limits (95 %)',
    text: rows.length === 0 ? '' : table(rows.slice(-windowsShown).reverse(), truthsTitles, terminal),
  };
}

const truthsTitles = {
  ENDED: { path: 'to', as: 'at' },
  VERSION: { path: 'version', drop: 2 },
  PRECISION: 'precision',
  RECALL: 'recall',
  MAE: 'mae',
  RMSE: 'rmse',
  UNKNOWN: { path: 'unknown', drop: 1 },
  LACKS: 'lacks',
} as const;

function truthsRow(window: unknown) {
  const measured = (name: string, unit = '', factor = 1): string | undefined => {
    const [value, low, high] = ['value', 'low', 'high'].map((part) =>
      rounded(factor * Number(valueAt(window, `truths.${name}.${part}`))),
    );
    return Number.isNaN(value) ? undefined : `${value}${unit} (${low} to ${high})`;
  };
  const unknown = valueAt(window, 'errors.unknown');
  return {
    ...{ to: valueAt(window, 'to'), version: `v${textOf('', valueAt(window, 'version'))}` },
    ...{ precision: measured('precision', ' %', 100), recall: measured('recall', ' %', 100) },
    ...{ mae: measured('mae'), rmse: measured('rmse') },
    unknown: unknown === 0 ? undefined : unknown,
    lacks: valueAt(window, 'truths.lacks'),
  };
}

/** What is expected of the champion without labels, where the config asks for it. */
function estimateParts(windows: readonly unknown[], sentence: string, terminal: Reader) {
  const rows = windows.slice(-windowsShown).reverse().map(estimateRow);
  return [
    {
      heading: sentence === '' ? '' : 'Estimated, no labels',
      text: sentence === '' ? '' : `${paragraph(sentence, terminal).join('\n')}\n`,
    },
    { text: rows.length === 0 ? '' : table(rows, estimateTitles, terminal) },
  ];
}

const estimateTitles = {
  ENDED: { path: 'to', as: 'at' },
  VERSION: 'version',
  ROWS: { path: 'rows', drop: 1 },
  'EST. ACCURACY': 'accuracy',
  'EST. PRECISION': { path: 'precision', drop: 2 },
  'EST. RECALL': { path: 'recall', drop: 3 },
  'MAY BE WRONG': 'drifted',
} as const;

const estimateRow = (window: unknown) => ({
  ...Object(window),
  version: `v${textOf('', valueAt(window, 'version'))}`,
  ...Object.fromEntries(
    ['accuracy', 'precision', 'recall'].map((name) => {
      const share = valueAt(window, name);
      return [name, share === undefined ? undefined : percentText(share)];
    }),
  ),
  drifted: valueAt(window, 'drifted') === true ? 'drift' : undefined,
});

const lossTitles = {
  ENDED: { path: 'to', as: 'at' },
  VERSION: 'version',
  PREDICTIONS: { path: 'predictions', drop: 1 },
  LABELS: 'labels',
  LOST: 'lost',
  'BETWEEN (95 %)': { path: 'between', drop: 2 },
  LIMIT: 'limit',
  EVIDENCE: 'evidence',
  ALARM: 'alarm',
} as const;

/** Where labels say right or wrong, what is lost is the share of wrong predictions. */
function lossRow(window: unknown) {
  const isShare = valueAt(window, 'losses') === 0;
  const amount = (name: string): string | undefined => {
    const value = valueAt(window, name);
    if (typeof value !== 'number') return undefined;
    return isShare ? percentText(value) : value.toFixed(3);
  };
  const evidence = rounded(valueAt(window, 'evidence'));
  return {
    ...Object(window),
    version: `v${textOf('', valueAt(window, 'version'))}`,
    lost: amount('loss'),
    between: `${amount('low')} to ${amount('high')}`,
    limit: amount('limit'),
    evidence: evidence === undefined ? undefined : Math.min(mostEvidence, evidence),
    alarm: valueAt(window, 'alarm') === true ? 'worse' : undefined,
  };
}

const columnTitles = {
  COLUMN: 'name',
  SIZE: 'size',
  EVIDENCE: 'evidence',
  'NO VALUE': 'missing',
  'OUT OF RANGE': 'outside',
  TRAINING: { path: 'reference', drop: 2 },
  LIVE: { path: 'live', drop: 1 },
} as const;
const windowTitles = {
  ENDED: { path: 'to', as: 'at' },
  ROWS: 'rows',
  SIZE: 'size',
  EVIDENCE: 'evidence',
  'ALARM AT': 'threshold',
  DRIFTED: 'alarms',
} as const;

const alarmsOf = (window: unknown): readonly string[] => {
  const alarms = valueAt(window, 'alarms');
  return Array.isArray(alarms) ? alarms.map(String) : [];
};

const windowRow = (window: unknown) => ({
  ...Object(window),
  alarms: alarmsOf(window).map(columnLabel),
  size: rounded(valueAt(window, 'size')),
  evidence: wasOpen(window) ? undefined : evidenceOf(window),
});

/** While an incident is open nothing is bet: its windows have no evidence of their own. */
const wasOpen = (window: unknown): boolean =>
  valueAt(window, 'evidence') === 0 && valueAt(window, 'alarms.0') !== undefined;

function evidenceOf(seen: unknown): string | number {
  const evidence = rounded(valueAt(seen, 'evidence')) ?? 0;
  return evidence >= mostEvidence ? `${mostEvidence}+` : evidence;
}

function columnRow(column: unknown) {
  const [before, now] = [0, 1].map((index) => valueAt(column, `missing.${index}`)).map(percentText);
  const [reference, live] = ['reference', 'live'].map((side) => sharesOf(valueAt(column, `histogram.${side}`)));
  return {
    name: columnLabel(textOf('', valueAt(column, 'name'))),
    size: rounded(valueAt(column, 'size')),
    evidence: evidenceOf(column),
    missing: before === now ? before : `${before} -> ${now}`,
    outside: shareText(valueAt(column, 'outside')),
    reference: barsOf(reference, mostBars),
    live: barsOf(live, mostBars),
  };
}

/** So that a row fits beside others. */
const mostBars = 12;
/** Beyond it nobody asks how much. */
const mostEvidence = 1e6;

const sharesOf = (shares: unknown): readonly number[] => (Array.isArray(shares) ? shares.map(Number) : []);
const rounded = (value: unknown): number | undefined =>
  typeof value === 'number' ? Number(value.toPrecision(3)) : undefined;
const percentText = (share: unknown): string => `${((typeof share === 'number' ? share : 0) * 100).toFixed(1)} %`;

const shareText = (share: unknown): string | undefined => (share === 0 ? undefined : percentText(share));
