import { shortId } from '@serin/core/base/ids';
import { lineageNames } from '@serin/core/model/compare';
import { valueAt } from '../table.ts';
import { hint, joined, led, row, type Screen, screenOf, textAt, timeAt, valueRows } from './parts.ts';
import { gatePart } from './scores.ts';

/** A version: whether it serves, what the gate said, and what it was made from. */
export const versionScreen: Screen = (document, terminal) => {
  const of = (path: string) => textAt(document, path);
  const number = valueAt(document, 'number');
  return screenOf(
    `${of('model')} v${of('number')}`,
    [
      {
        rows: [
          row('state', of('state'), of('state')),
          row('trained', timeAt(document, 'at', terminal)),
          row('run', shortId(of('run'))),
          row(
            'approval',
            joined(
              ' ',
              of('approval.status'),
              led('by ', of('approval.by')),
              led('at ', timeAt(document, 'approval.at', terminal)),
              of('approval.note'),
            ),
          ),
          row('expires', timeAt(document, 'approval.expiresAt', terminal)),
          row(
            'quarantined',
            joined(': ', timeAt(document, 'quarantined.at', terminal), of('quarantined.because')),
            'quarantined',
          ),
          row('restored', joined(': ', led('by ', of('restored.by')), of('restored.because'))),
          row('artifact', of('artifact.uri')),
        ],
      },
      gatePart(document, typeof number === 'number' ? number : undefined, terminal),
      { heading: 'Measured in training', rows: valueRows(valueAt(document, 'metrics')) },
      {
        heading: 'Made from',
        rows: Object.entries(lineageNames).map(([name, label]) => row(label, lineageText(document, name))),
      },
      hint(`'serin why ${of('model')}@${of('number')}' says how it came to be`, terminal),
    ],
    terminal,
  );
};

/** Hyperparameters are JSON there; none are not worth a line. */
function lineageText(document: unknown, name: string): string {
  const text = textAt(document, `lineage.${name}`);
  return text === '{}' ? '' : text;
}
