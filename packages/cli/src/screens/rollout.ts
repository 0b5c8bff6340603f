import { shortId } from '@serin/core/base/ids';
import { oddsText } from '@serin/core/base/numbers';
import { durationText } from '@serin/core/base/time';
import type { Certificate } from '@serin/core/judge/certificate';
import { historyText } from '@serin/core/judge/history';
import type { Standing } from '@serin/core/model/rollout/standing';
import { certificateLines } from '../certificate-text.ts';
import { type Reader, table, textOf, valueAt } from '../table.ts';
import { paragraph } from '../width.ts';
import {
  hint,
  joined,
  led,
  type Part,
  type Row,
  row,
  type Screen,
  screenOf,
  storyPart,
  textAt,
  timeAt,
} from './parts.ts';

/** A rollout: how far it is, what was counted, and what that is worth as evidence. */
export const rolloutScreen: Screen = (document, terminal) => {
  const of = (path: string) => textAt(document, path);
  const until = ['until', 'deadline', 'endsAt']
    .map((path) => timeAt(document, path, terminal))
    .find((text) => text !== '');
  const goes = of('endedAt') === '';
  return screenOf(
    `rollout ${of('id')}`,
    [
      {
        rows: [
          row('status', joined(', ', of('status'), goes ? `${of('weight')} % of the traffic` : ''), of('status')),
          row('why', of('because')),
          row('candidate', `v${of('candidate')} of ${of('model')}`),
          row('champion', led('v', of('stable'))),
          row('its past', pastText(document)),
          row('steps', stepsText(document)),
          row('started', joined(', by ', timeAt(document, 'startedAt', terminal), of('by'))),
          row('until', goes ? until : ''),
          row('ended', timeAt(document, 'endedAt', terminal)),
        ],
      },
      { heading: 'Counted', text: countsText(document, terminal) },
      evidencePart(document, terminal),
      storyPart(document, terminal),
      hint(goes ? `'serin rollouts promote|pause|abort ${shortId(of('id'))}' ends or holds it by hand` : '', terminal),
    ],
    terminal,
  );
};

/** What the champion did before, by itself. */
function pastText(document: unknown): string {
  const history = valueAt(document, 'history') as Parameters<typeof historyText>[0] | undefined; // of the server's own state
  return history === undefined ? '' : historyText(history);
}

/** `canary: 10 %, [50 %], then all`, with the present step in brackets. */
function stepsText(document: unknown): string {
  const steps = valueAt(document, 'steps');
  if (!Array.isArray(steps)) return '';
  const present = valueAt(document, 'endedAt') === undefined ? valueAt(document, 'step') : undefined;
  const texts = steps.map((weight, index) => (index === present ? `[${weight} %]` : `${weight} %`));
  const bake = Number(valueAt(document, 'plan.bake'));
  const baked = Number.isFinite(bake) && steps.length > 0 ? `; each bakes for ${durationText(bake)}` : '';
  return `${textAt(document, 'plan.strategy')}: ${[...texts, 'all'].join(', ')}${baked}`;
}

function countsText(document: unknown, terminal: Reader): string {
  const rows = [
    { who: `v${textAt(document, 'candidate')}, the candidate`, path: 'evidence.candidate' },
    ...(valueAt(document, 'stable') === undefined
      ? []
      : [{ who: `v${textAt(document, 'stable')}, the champion`, path: 'evidence.stable' }]),
  ].map(({ who, path }) => ({
    who,
    requests: valueAt(document, `${path}.requests`),
    errors: valueAt(document, `${path}.errors`),
  }));
  return table(rows, { DEPLOYMENT: 'who', REQUESTS: 'requests', FAILED: 'errors' }, terminal);
}

/** Once it has ended its certificate; until then how far the odds are from what decides. */
function evidencePart(document: unknown, terminal: Reader): Part {
  const certificate = valueAt(document, 'certificate') as Certificate | undefined; // of the server's own schema
  const standing = valueAt(document, 'standing') as Standing | undefined; // the same
  const heading = 'Evidence';
  if (certificate === undefined || valueAt(document, 'endedAt') === undefined)
    return { heading, rows: standingRows(standing ?? {}) };
  const lines = certificateLines(certificate).flatMap((line) => paragraph(line, terminal));
  return { heading, text: lines.map((line) => `${line}\n`).join('') };
}

const standingRows = ({ harm, safety = [] }: Partial<Standing>): readonly Row[] => [
  ...(harm === undefined ? [] : [row('harm', `${oddsText(harm.logE)}; it is taken back at ${oddsText(harm.wanted)}`)]),
  ...safety.map(({ stream, logE, wanted }) =>
    row('safety', `${oddsText(logE)} in ${textOf('', stream)}; it passes at ${oddsText(wanted)}`),
  ),
];
