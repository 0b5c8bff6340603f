import { shortId } from '@serin/core/base/ids';
import { grouped } from '@serin/core/base/numbers';
import { durationText } from '@serin/core/base/time';
import { type Reader, table, textOf, valueAt } from '../table.ts';
import { hint, joined, led, row, type Screen, screenOf, textAt, timeAt, valueRows } from './parts.ts';
import { gatePart } from './scores.ts';

/** A run: how it goes, what it was trained on, and what the gate said. */
export const runScreen: Screen = (document, terminal) => {
  const of = (path: string) => textAt(document, path);
  const number = valueAt(document, 'trained.number');
  const version = typeof number === 'number' ? number : undefined;
  return screenOf(
    `run ${of('id')}`,
    [
      {
        rows: [
          row('status', of('status'), of('status')),
          row('why', of('because')),
          row('model', joined(', ', of('model'), version === undefined ? '' : `trained v${version}`)),
          row('trigger', joined(', by ', of('trigger.kind'), of('trigger.by'))),
          row('started', timeAt(document, 'startedAt', terminal)),
          row('ended', joined(', after ', timeAt(document, 'endedAt', terminal), tookText(document))),
          row('job', jobText(document, terminal)),
        ],
      },
      { heading: 'Steps', text: stepsText(document, terminal) },
      gatePart(document, version, terminal),
      { heading: 'Measured in training', rows: valueRows(valueAt(document, 'trained.metrics')) },
      {
        heading: 'Made from',
        rows: [
          row('dataset', datasetText(document)),
          row('split', of('split.rule')),
          row('code', of('plan.train.code.digest')),
          row('command', commandText(valueAt(document, 'plan.train.command'))),
          ...valueRows(valueAt(document, 'plan.train.hyperparameters')),
        ],
      },
      hint(`'serin runs logs ${shortId(of('id'))}' shows what its jobs wrote`, terminal),
    ],
    terminal,
  );
};

function tookText(document: unknown): string {
  const [from, to] = ['startedAt', 'endedAt'].map((path) => Date.parse(textAt(document, path)));
  return from === undefined || to === undefined || Number.isNaN(to) ? '' : durationText(to - from);
}

/** When each step began, and how long it took: until the next one, or the end. */
function stepsText(document: unknown, terminal: Reader): string {
  const began = Object.entries(Object(valueAt(document, 'began')) as Readonly<Record<string, unknown>>)
    .map(([step, at]) => ({ step: textOf('', step), at: Date.parse(String(at)) }))
    .filter(({ at }) => !Number.isNaN(at))
    .sort((one, other) => one.at - other.at);
  const ended = Date.parse(textAt(document, 'endedAt'));
  const rows = began.map((each, index) => {
    const until = began[index + 1]?.at ?? ended;
    return { ...each, took: Number.isNaN(until) ? 'goes on' : durationText(until - each.at) };
  });
  if (rows.length === 0) return '';
  return table(rows, { STEP: 'step', BEGAN: { path: 'at', as: 'at' }, TOOK: 'took' }, terminal);
}

function jobText(document: unknown, terminal: Reader): string {
  const part = textAt(document, 'job.part');
  return part === ''
    ? ''
    : joined(
        ', ',
        `${part}, attempt ${textAt(document, 'job.attempt')}`,
        led('until ', timeAt(document, 'job.deadline', terminal)),
      );
}

function datasetText(document: unknown): string {
  const digest = textAt(document, 'dataset.digest');
  if (digest === '') return '';
  const [objects, bytes] = ['objects', 'bytes'].map((name) =>
    grouped(Number(valueAt(document, `dataset.${name}`) ?? 0)),
  );
  return `${digest}: ${objects} objects, ${bytes} bytes of ${textAt(document, 'dataset.bucket')}/${textAt(document, 'dataset.prefix')}`;
}

/** As somebody would type it. */
export const commandText = (command: unknown): string =>
  Array.isArray(command) ? command.map((word) => (/\s/.test(String(word)) ? `'${word}'` : String(word))).join(' ') : '';
