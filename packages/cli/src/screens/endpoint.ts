import { valueAt } from '../table.ts';
import { hint, row, type Screen, screenOf, textAt, weightsText } from './parts.ts';

/** What is served under a name, where, and how a request is split. */
export const endpointScreen: Screen = (document, terminal) => {
  const of = (path: string) => textAt(document, path);
  const predict = of('predict');
  return screenOf(
    of('name'),
    [
      {
        rows: [
          row('champion', of('champion') === '' ? 'none yet' : `v${of('champion')}`),
          row('status', of('endpoint.status'), of('endpoint.status')),
          row('why', of('endpoint.because')),
          row('traffic', weightsText(valueAt(document, 'endpoint.weights'))),
          row('predict', predict),
        ],
      },
      hint(
        predict === '' ? '' : `'serin predict ${of('name')} <file>' asks it; 'serin logs ${of('name')}' shows its log`,
        terminal,
      ),
    ],
    terminal,
  );
};
