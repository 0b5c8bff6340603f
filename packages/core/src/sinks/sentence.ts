import type { EventType } from '../base/event-types.ts';
import { bytesText, countText } from '../base/numbers.ts';
import { durationText } from '../base/time.ts';
import { type Happening, shortType } from './sink.ts';

type Data = Readonly<Record<string, unknown>>;
type Said = (data: Data, atMs: number) => string;

/** A line for people: what it is about, and what happened to it, with the reason where there is one. */
export function sentenceOf({ type, subject, data, time }: Happening): {
  readonly subject: string;
  readonly said: string;
} {
  const facts = Object(data) as Data;
  const { model, version } = facts;
  const about = typeof model === 'string' ? model : subject;
  const named = version === undefined ? about : `${about} v${String(version)}`;
  const name = shortType(type);
  const say = Object.hasOwn(sentences, name) ? sentences[name as EventType] : plain(name.replace('.', ' '));
  return { subject: named, said: oneLine(say(facts, Date.parse(time))) };
}

/** What an alert made Serin do. */
export const didText = {
  revert: 'the rollout under way was taken back',
  rollback: 'traffic goes back to the last good version',
  run: 'a run was started',
  wait: 'a run waits, and starts if it still fires then',
  notify: 'it was noted',
  escalate: 'somebody has to look at it',
} as const;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
/** A reason behind what happened, where there is one. */
const reasoned = (said: string, reason: unknown): string => (text(reason) === '' ? said : `${said}: ${text(reason)}`);
/** `without`: what is said where nothing got better. */
const ended =
  (said: string, without = said): Said =>
  ({ title, because }) =>
    reasoned(text(because) === '' ? said : `${without}, as ${text(because)}`, title);
const plain =
  (said: string): Said =>
  ({ because }) =>
    reasoned(said, because);
const byWhom =
  (said: string): Said =>
  ({ by, note }) =>
    reasoned(text(by) === '' ? said : `${said} by ${text(by)}`, note);
/** How long it is from the event to a time in its data; nothing without one. */
const until = (time: unknown, atMs: number, before: string): string => {
  const ms = Date.parse(text(time)) - atMs;
  return Number.isNaN(ms) || ms < 0 ? '' : `${before}${durationText(ms)}`;
};
/** A certificate's first clause has the counts; `serin why` has the rest. */
const firstClause = (reason: unknown): string => text(reason).split('; ')[0] ?? '';

/** `Rolled back: 8 of 8 ...` without its first words, which another event says. */
const certifiedText = ({ verdict, sentence }: Data): string =>
  `${verdict === 'none' ? 'not certified' : 'certified'}: ${firstClause(sentence).replace(outcome, '')}`;
const outcome =
  /^(Rolled back|Promoted|Without certificate)( after [^:]*| without [a-z ]+| by an? [a-z]+| by policy)?: /;

const steps: Readonly<Record<string, string>> = {
  prepare: 'run prepares its data',
  train: 'run trains',
  evaluate: 'run is evaluated',
  champion: 'the champion is scored on the same hold-out',
};

const sentences: Readonly<Record<EventType, Said>> = {
  'data.seen': ({ object, settlesAt }, atMs) =>
    // A release or a clock that names no object knows of none.
    text(object) === ''
      ? `looks for new data${until(settlesAt, atMs, ' in ')}`
      : `new data: ${text(object)}${until(settlesAt, atMs, '; it is taken if nothing more comes within ')}`,
  'dataset.settled': ({ digest, objects = 0, bytes = 0 }) =>
    `dataset ${text(digest).slice(0, 12)} settled: ${countText(Number(objects), 'object')}, ${bytesText(Number(bytes))}`,
  'dataset.refused': ({ because }) => reasoned('dataset refused', text(because).replace(/^the dataset has /, '')),
  'run.started': ({ trigger }) => (text(trigger) === '' ? 'run started' : `run started by ${text(trigger)}`),
  'step.started': ({ step, attempt }) =>
    `${steps[text(step)] ?? `run goes on with ${text(step)}`}${Number(attempt) > 1 ? `, attempt ${String(attempt)}` : ''}`,
  'run.succeeded': ({ because }) =>
    text(because).startsWith('passed') ? `gate ${text(because)}` : reasoned('run succeeded', because),
  'run.refused': ({ because }) =>
    text(because).startsWith('refused')
      ? `gate ${text(because)}`
      : reasoned(text(because).startsWith('the dataset') ? 'run refused' : 'gate refused', because),
  'run.failed': plain('run failed'),
  'run.cancelled': plain('run cancelled'),
  'run.superseded': plain('run superseded'),
  'version.registered': () => 'registered',
  'approval.requested': ({ expiresAt }, atMs) => `waits for approval${until(expiresAt, atMs, ', for at most ')}`,
  'version.approved': byWhom('approved'),
  'version.rejected': byWhom('rejected'),
  'version.expired': byWhom('expired'),
  'version.superseded': byWhom('superseded'),
  'version.restored': (data, atMs) => reasoned(byWhom('restored')(data, atMs), data.because),
  'rollout.started': ({ kind }) => (kind === 'rollback' ? 'rollback started' : 'rollout started'),
  'rollout.shifted': ({ weight = 0, until: end }, atMs) =>
    `rollout shifted to ${String(weight)} %${until(end, atMs, ', bakes for ')}`,
  'rollout.held': ({ because, until: end }, atMs) =>
    `${reasoned('rollout held', because)}${until(end, atMs, '; unless something ends it, it is taken back in ')}`,
  'rollout.certified': ({ certificate }) => certifiedText(Object(certificate)),
  'rollout.promoted': ({ kind, because, certificate }) =>
    kind === 'rollback'
      ? // The subject names the version.
        text(because).replace(/^v\d+ /, '') || 'serves again'
      : reasoned('rollout promoted', Object(certificate).verdict === 'promotion' ? firstClause(because) : because),
  'rollout.rolledback': plain('rollout rolled back'),
  'rollout.aborted': ({ because }) => reasoned('rollout aborted', text(because).replace(/^aborted /, '')),
  'endpoint.unready': plain('is not ready'),
  'endpoint.blocked': plain('endpoint blocked'),
  'alert.received': ({ title, because, did }) => {
    const said = reasoned('alert received', text(title) === '' ? because : title);
    if (!Object.hasOwn(didText, text(did))) return said;
    return reasoned(`${said}; ${didText[did as keyof typeof didText]}`, whyNoMore(text(because), text(title)));
  },
  'alert.resolved': ended('alert resolved'),
  'drift.detected': ({ title }) => reasoned('drift detected', title),
  'drift.resolved': ended('drift resolved'),
  'performance.lost': ({ title }) => reasoned('performance lost', title),
  'performance.recovered': ended('performance recovered', 'performance judged anew'),
};

/** Why no more was done: what a reason says behind the title of its alert. */
const whyNoMore = (because: string, title: string): string =>
  title === '' ? '' : (because.split(`${title}; `)[1] ?? '');

const longest = 2000;
/** A reason may quote the end of a log. */
const oneLine = (said: string): string => cut(said.replaceAll(/\s+/g, ' ').trim());
const cut = (said: string): string => (said.length > longest ? `${said.slice(0, longest - 1)}…` : said);
