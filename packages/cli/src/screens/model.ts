import { shortId } from '@serin/core/base/ids';
import { percent } from '@serin/core/base/numbers';
import { durationText } from '@serin/core/base/time';
import { type Reader, textOf, valueAt } from '../table.ts';
import {
  hint,
  joined,
  led,
  type Row,
  row,
  type Screen,
  screenOf,
  textAt,
  timeAt,
  trailed,
  weightsText,
} from './parts.ts';
import { commandText } from './run.ts';

/** A model: what serves, what goes on, and what its config says in short. */
export const modelScreen: Screen = (document, terminal) => {
  const of = (path: string) => textAt(document, path);
  const state = (path: string) =>
    row(path, joined(' ', shortId(of(`${path}.id`)), of(`${path}.status`)), of(`${path}.status`));
  return screenOf(
    of('model'),
    [
      {
        rows: [
          row('champion', of('champion') === '' ? 'none yet' : `v${of('champion')}`),
          row('data', of('intake.text')),
          state('run'),
          state('rollout'),
          row('offered', led('v', of('offered'))),
          row('waiting', led('a run by ', of('queued'))),
          row('skipped', joined(': ', of('skipped.trigger'), of('skipped.because'))),
          row(
            'endpoint',
            joined(': ', of('endpoint.status'), weightsText(valueAt(document, 'endpoint.weights'))),
            of('endpoint.status'),
          ),
          row('', of('endpoint.because')),
          ...alertRows(document, terminal),
          row('holds', led('v', of('monitor.holds')), 'held'),
          row('frozen', joined(': ', led('by ', of('freeze.by')), of('freeze.because')), 'held'),
          row('rolls back', lastGoodText(document)),
          row('retired', of('retired') === '' ? '' : 'it left the config'),
        ],
      },
      { heading: 'Config', rows: configRows(document) },
      hint(
        `'serin why ${of('model')}' says how it came to be; 'serin versions list ${of('model')}' has its versions`,
        terminal,
      ),
    ],
    terminal,
  );
};

function alertRows(document: unknown, terminal: Reader): readonly Row[] {
  const alerts = valueAt(document, 'monitor.alerts');
  return (Array.isArray(alerts) ? alerts : []).map((alert) =>
    row(
      'fires',
      `'${textAt(alert, 'title')}' (${textAt(alert, 'sender')}) since ${timeAt(alert, 'since', terminal)}`,
      'alarmed',
    ),
  );
}

function lastGoodText(document: unknown): string {
  const numbers = valueAt(document, 'lastGood');
  const last = Array.isArray(numbers) ? numbers.at(-1) : undefined;
  return last === undefined ? '' : `to v${last}`;
}

const span = (ms: unknown): string => (typeof ms === 'number' ? durationText(ms) : '');

function configRows(document: unknown): readonly Row[] {
  const of = (path: string) => textAt(document, `plan.${path}`);
  const at = (path: string) => valueAt(document, `plan.${path}`);
  const code = (part: string) => led('code ', of(`${part}.code.digest`));
  const settle = joined(
    ', ',
    trailed('after ', span(at('data.settle.quiet')), ' of quiet'),
    led('at most ', span(at('data.settle.atMost'))),
  );
  return [
    row('drops', joined('; settles ', `${of('data.bucket')}/${of('data.prefix')}`, settle)),
    row('split', of('split.rule')),
    row('train', joined('; ', commandText(at('train.command')), code('train'))),
    row('evaluate', commandText(at('evaluate.command'))),
    row('gate', gateText(at('gate'))),
    row('approval', of('approval.required') === 'true' ? 'a person approves each version' : ''),
    row('serve', commandText(at('serve.command'))),
    row('rollout', rolloutText(document)),
    row('alerts', joined(', ', of('alerts.onAlert'), led('while one fires: ', of('alerts.whileFiring')))),
  ];
}

function gateText(gate: unknown): string {
  const criteria = Object.entries(Object(gate) as Record<string, Record<string, unknown>>);
  return criteria
    .map(([metric, { atLeast, atMost, noWorseBy }]) =>
      joined(
        ', ',
        joined(' ', textOf('', metric), led('at least ', textOf('', atLeast)), led('at most ', textOf('', atMost))),
        led('no worse than the champion by ', textOf('', noWorseBy)),
      ),
    )
    .join('; ');
}

function rolloutText(document: unknown): string {
  const steps = valueAt(document, 'plan.rollout.steps');
  const weights = Array.isArray(steps) ? steps.map((weight) => percent(Number(weight) / 100)).join(', ') : '';
  const bake = led('bake ', span(valueAt(document, 'plan.rollout.bake')));
  return joined(', ', joined(' ', textAt(document, 'plan.rollout.strategy'), weights), bake);
}
