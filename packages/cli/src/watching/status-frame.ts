import { shortId } from '@serin/core/base/ids';
import { agoText, durationText } from '@serin/core/base/time';
import type { Standing } from '@serin/core/model/rollout/standing';
import type { Document } from '../client.ts';
import { standingText } from '../story/teller.ts';
import { textOf, valueAt } from '../table.ts';
import { isDocument } from '../wait.ts';
import { type Mark, marked, type Reader } from './parts.ts';

/** The project in one look: what serves, what goes on with how much time left, and what waits for a person. */
export function statusFrame(
  document: Document,
  rollouts: ReadonlyMap<string, Document>,
  now: number,
  terminal: Reader,
): string {
  const models = modelsOf(document);
  const head = [textOf('', document.project), textOf('', document.environment)]
    .filter((part) => part !== '')
    .join(', ');
  const frozen = isDocument(document.freeze)
    ? marked(
        'asks',
        `frozen by ${textOf('', document.freeze.by)}: ${textOf('', document.freeze.because)}; 'serin thaw' ends it`,
        terminal,
      )
    : '';
  const clock = typeof document.clock === 'string' ? marked('asks', `clock: ${document.clock}`, terminal) : '';
  const none = models.length === 0 ? "no models yet; 'serin release' makes them\n" : '';
  const more = document.next === undefined || document.next === null ? '' : "there are more: 'serin models list'\n";
  return `${terminal.paint('bold', head)}\n${frozen}${clock}${models.map((model) => modelText(model, rollouts, now, terminal)).join('')}${none}${more}`;
}

export const modelsOf = ({ models }: Document): readonly Document[] =>
  Array.isArray(models) ? models.filter(isDocument) : [];

function modelText(model: Document, rollouts: ReadonlyMap<string, Document>, now: number, terminal: Reader): string {
  const of = (path: string) => textOf(path, valueAt(model, path));
  const since = Date.parse(of('since'));
  const serves =
    of('champion') === ''
      ? 'serves nothing yet'
      : `v${of('champion')} serves${Number.isNaN(since) ? '' : `, for ${durationText(Math.max(0, now - since))}`}`;
  const lines = [
    ...dataLines(of, now),
    ...runLines(of, now),
    ...rolloutLines(of, rollouts.get(of('rollout.id')), now),
    ...waitLines(of),
  ];
  return `\n${terminal.paint('bold', of('model'))}  ${serves}${of('retired') === '' ? '' : '; it left the config'}\n${lines.map(([mark, text]) => marked(mark, text, terminal)).join('')}`;
}

type Of = (path: string) => string;
type Line = readonly [Mark, string];

function dataLines(of: Of, now: number): readonly Line[] {
  const settles = Date.parse(of('settlesAt'));
  const left = Math.max(0, settles - now);
  return [
    ...(of('intake') === 'settling'
      ? [
          [
            'goes',
            `new data${Number.isNaN(settles) ? '' : `, taken in ${durationText(left)} if nothing more comes`}`,
          ] as const,
        ]
      : []),
    ...(of('intake') === 'listing' ? [['goes', 'lists its data'] as const] : []),
  ];
}

function runLines(of: Of, now: number): readonly Line[] {
  const [id, status, step] = [shortId(of('run.id')), of('run.status'), of('run.step')];
  if (id === '' || status === 'succeeded') return [];
  const ended = Date.parse(of('run.endedAt'));
  if (!Number.isNaN(ended)) return [['badly', `its last run ${status}, ${agoText(ended, now)}: serin why ${id}`]];
  const began = Date.parse(of('run.startedAt'));
  const took = Number.isNaN(began) ? '' : `, ${durationText(Math.max(0, now - began))} so far`;
  return [['goes', `run ${id} ${step === '' ? `is ${status}` : `is at ${step}`}${took}`]];
}

function rolloutLines(of: Of, rollout: Document | undefined, now: number): readonly Line[] {
  const [id, status, version] = [shortId(of('rollout.id')), of('rollout.status'), of('rollout.candidate')];
  if (id === '' || status === 'promoted') return [];
  const ended = Date.parse(of('rollout.endedAt'));
  if (!Number.isNaN(ended))
    return [
      [
        'badly',
        `v${version} was ${status === 'rolledBack' ? 'rolled back' : status}, ${agoText(ended, now)}: serin why ${id}`,
      ],
    ];
  const until = Date.parse(of('rollout.until'));
  const left = until > now ? `, ${durationText(until - now)} left` : '';
  const standing = rollout?.standing === undefined ? undefined : (Object(rollout.standing) as Standing); // of the API
  const counts = standing === undefined ? '' : `: ${standingText(standing)}`;
  const waits = ['held', 'paused'].includes(status);
  const commands = waits ? `; serin rollouts promote|resume|abort ${id}` : '';
  return [
    [waits ? 'asks' : 'goes', `v${version} is ${status} at ${of('rollout.weight')} %${left}${counts}${commands}`],
  ];
}

function waitLines(of: Of): readonly Line[] {
  const version = of('offered');
  const pending = of('approval') === 'pending';
  return [
    ...(pending
      ? [['asks', `v${version} waits for approval: serin versions approve ${of('model')} ${version}`] as const]
      : []),
    ...(of('firing') === '' ? [] : [['asks', of('firing')] as const]),
    ...(of('holds') === '' ? [] : [['asks', `v${of('holds')} waits until that is resolved`] as const]),
    ...(of('endpoint') === 'blocked' ? [['badly', `its endpoint is blocked: serin why ${of('model')}`] as const] : []),
    ...['unready', 'untold'].flatMap((path) => (of(path) === '' ? [] : [['asks', of(path)] as const])),
    // Before the first drop nothing is amiss.
    ...(of('data') === '' ? [] : [[of('champion') === '' ? 'later' : 'asks', `its data: ${of('data')}`] as const]),
  ];
}
