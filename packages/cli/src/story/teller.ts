import type { EventType } from '@serin/core/base/event-types';
import { shortId } from '@serin/core/base/ids';
import { bytesText, grouped, oddsText } from '@serin/core/base/numbers';
import { durationText } from '@serin/core/base/time';
import type { Standing } from '@serin/core/model/rollout/standing';
import { sentenceOf } from '@serin/core/sinks/sentence';
import { type Happening, shortType } from '@serin/core/sinks/sink';
import type { StoryLine } from './line.ts';

type Data = Readonly<Record<string, unknown>>;
type Told = Pick<StoryLine, 'mark' | 'more'> & { readonly text?: string };

export interface Teller {
  /** What an event is told as; `undefined`: another line says it already. */
  tell(event: Happening): StoryLine | undefined;
}

/** Turns events into lines, in their order: how long a step took is known only from the event before. */
export function teller(sizeOf: (data: Data) => number | undefined = () => undefined): Teller {
  const began = new Map<string, { readonly step: string; readonly at: number; readonly runAt: number }>();

  /** How long the step that ended took; at the end of a run all of it. */
  function elapsed(name: string, { run, step }: Data, at: number): string {
    const id = String(run);
    const last = began.get(id);
    if (name === 'run.started') began.set(id, { step: '', at, runAt: at });
    if (name === 'step.started' && last?.step !== step)
      began.set(id, { step: String(step), at, runAt: last?.runAt ?? at });
    if (last === undefined) return '';
    if (name === 'step.started')
      return last.step === '' || last.step === step ? '' : `; ${last.step} took ${durationText(at - last.at)}`;
    if (!name.startsWith('run.') || name === 'run.started') return '';
    began.delete(id);
    return `; ${durationText(at - last.runAt)} in all`;
  }

  return {
    tell(event) {
      const name = shortType(event.type);
      const data = Object(event.data) as Data;
      const at = Date.parse(event.time);
      const took = elapsed(name, data, at);
      const { subject, said } = sentenceOf(event);
      const told = Object.hasOwn(tellings, name) ? tellings[name as EventType](data, said, sizeOf) : { mark: 'goes' };
      if (told === undefined) return undefined;
      const { mark, more, text = said } = told as Told;
      return { at, mark, about: subject, text: `${text}${took}`, ...(more === undefined ? {} : { more }) };
    },
  };
}

type Telling = (data: Data, said: string, sizeOf: (data: Data) => number | undefined) => Told | undefined;
const marked =
  (mark: StoryLine['mark']): Telling =>
  () => ({ mark });
const commandsOf = (word: string, ...verbs: readonly string[]): readonly string[] =>
  verbs.map((verb) => `serin ${word.replace('*', verb)}`);
const nothing: Telling = () => undefined;

const tellings: Readonly<Record<EventType, Telling>> = {
  'data.seen': (data, said, sizeOf) => {
    // Without a name the folder is looked at, and may hold nothing new.
    if (data.object === undefined) return undefined;
    const bytes = sizeOf(data);
    const object = String(data.object);
    return { mark: 'goes', text: bytes === undefined ? said : said.replace(object, `${object} (${bytesText(bytes)})`) };
  },
  'dataset.settled': marked('goes'),
  'run.started': ({ run }, said) => ({ mark: 'goes', text: `${said} (${shortId(String(run))})` }),
  'step.started': marked('goes'),
  'run.succeeded': marked('well'),
  'run.refused': marked('badly'),
  'run.failed': ({ because, run }) => {
    const [first = '', ...log] = String(because).split('\n');
    const end = log.filter((line) => line.trim() !== '').slice(-longestLog);
    return { mark: 'badly', text: `run failed: ${first}`, more: [...end, `serin logs ${shortId(String(run))}`] };
  },
  'run.cancelled': marked('badly'),
  'run.superseded': marked('goes'),
  'version.registered': nothing,
  'approval.requested': ({ model, version }) => ({
    mark: 'asks',
    more: commandsOf(`versions * ${String(model)} ${String(version)}`, 'approve', 'reject'),
  }),
  // What the gate approved by itself is on its way already.
  'version.approved': ({ by }) => (by === 'gate' ? undefined : { mark: 'well' }),
  'version.rejected': marked('badly'),
  'version.expired': marked('badly'),
  'version.superseded': marked('goes'),
  'version.restored': marked('goes'),
  'rollout.started': marked('goes'),
  'rollout.shifted': ({ standing }, said) => ({ mark: 'goes', text: `${said}${soFar(standing)}` }),
  'rollout.held': ({ rollout }) => ({
    mark: 'asks',
    more: commandsOf(`rollouts * ${shortId(String(rollout))}`, 'promote', 'resume', 'abort'),
  }),
  'rollout.certified': ({ certificate }) =>
    Object(certificate).verdict === 'promotion' ? { mark: 'well' } : undefined,
  'rollout.promoted': marked('well'),
  'rollout.rolledback': ({ model, version }) => ({
    mark: 'badly',
    more: [`serin why ${String(model)}@${String(version)}`],
  }),
  'rollout.aborted': marked('badly'),
  'endpoint.unready': ({ model }) => ({ mark: 'asks', more: [`serin logs ${String(model)}`] }),
  'endpoint.blocked': marked('badly'),
  'alert.received': marked('asks'),
  'alert.resolved': marked('well'),
  // The alert that brought it says the same, and what was done.
  'drift.detected': nothing,
  'drift.resolved': nothing,
  'performance.lost': nothing,
  'performance.recovered': nothing,
  // Its run says it.
  'dataset.refused': nothing,
};
const longestLog = 12;

/** Counts of both arms, and the odds so far; nothing before the first request. */
function soFar(standing: unknown): string {
  const { candidate, champion } = Object(standing) as Partial<Standing>;
  if (candidate === undefined || champion === undefined || candidate.requests + champion.requests === 0) return '';
  return `; so far ${standingText(Object(standing) as Standing)}`;
}

/** A rollout's counts and odds in one line. */
export function standingText({ candidate, champion, harm, safety = [] }: Standing): string {
  const counts = `${grouped(candidate.requests)} requests, ${grouped(candidate.errors)} failed`;
  if (harm === undefined) return counts;
  const weakest = safety.reduce<Standing['harm']>((a, b) => (a === undefined || b.logE < a.logE ? b : a), undefined);
  const odds = [
    `odds of harm ${oddsText(harm.logE)} (back at ${oddsText(harm.wanted)})`,
    ...(weakest === undefined ? [] : [`of safety ${oddsText(weakest.logE)} (passes at ${oddsText(weakest.wanted)})`]),
  ];
  return `${counts} (champion ${grouped(champion.requests)}, ${grouped(champion.errors)}); ${odds.join(', ')}`;
}
