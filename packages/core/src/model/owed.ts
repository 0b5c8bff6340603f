import { defined } from '../base/objects.ts';
import type { Step } from '../base/table.ts';
import type { Aliases } from '../ports/registry.ts';
import { withVersion } from './between/versions.ts';
import { retrySlowly } from './leases.ts';
import { machinesOwe, machinesWake } from './machines.ts';
import { noticesOwed, recordNotice } from './notified.ts';
import type { Effect, SignalOf } from './protocol.ts';
import { recordsOwed, withoutRecord } from './records.ts';
import { rolloutEnded } from './rollout/state.ts';
import type { Model } from './state.ts';
import { versionOf } from './version.ts';

/** After a long silence of the bus what waits is published in parts, so that each gets done within its lease. */
const entriesPerPublish = 1000;

/** The effects that the state owes at `now`, each under its key. */
export function modelOwes(model: Model, now: number): readonly Effect[] {
  return [
    ...machinesOwe(model, now).map((effect) => servedOn(effect, model)),
    ...approvalsOwed(model),
    ...aliasesOwed(model),
    ...messagesOwed(model),
    ...recordsOwed(model),
    ...noticesOwed(model),
    ...publishOwed(model),
  ];
}

/** What is asked of an endpoint goes to the kind of serving of the versions there; without a word it is `endpoint`. */
function servedOn(effect: Effect, { rollout, champion, versions }: Model): Effect {
  if (
    effect.kind !== 'change' &&
    effect.kind !== 'observe' &&
    effect.kind !== 'readTicks' &&
    effect.kind !== 'readLatency' &&
    effect.kind !== 'readHistory' &&
    effect.kind !== 'countCaptured'
  )
    return effect;
  const serve = versionOf(versions, champion ?? rollout?.candidate)?.serve;
  return serve === undefined || serve === 'none' || serve.on === undefined ? effect : { ...effect, on: serve.on };
}

/** When the model wants `clockTicked`: never later than the next lease ends, `undefined` when it waits for no time. */
export function modelWakesAt(model: Model): number | undefined {
  const { freeze, offered, versions } = model;
  const expiry = versionOf(versions, offered?.version)?.approval;
  const planned = [...machinesWake(model), freeze?.until, expiry?.status === 'pending' ? expiry.expiresAt : undefined];
  // What was due when the last signal was decided has become an effect, or a move, by now.
  const times = [
    ...planned.filter((time) => time !== undefined && time > model.at),
    ...Object.values(model.debts).map(({ until }) => until),
  ];
  const next = Math.min(...times.filter((time) => time !== undefined));
  return Number.isFinite(next) ? next : undefined;
}

function approvalsOwed({ model, versions }: Model): readonly Effect[] {
  return Object.values(versions).flatMap(({ number, registered, approval }): Effect[] =>
    registered && approval !== undefined && approval.mirrored !== approval.status
      ? [
          {
            key: `approval/${number}/${approval.status}`,
            kind: 'mirrorApproval',
            model,
            number,
            approval: approval.status,
          },
        ]
      : [],
  );
}

function aliasesOwed(model: Model): readonly Effect[] {
  const { champion, challenger } = aliasesOf(model);
  const { aliased = {} } = model;
  if (champion === aliased.champion && challenger === aliased.challenger) return [];
  const key = `aliases/${champion ?? ''}/${challenger ?? ''}`;
  return [{ key, kind: 'mirrorAliases', model: model.model, aliases: defined({ champion, challenger }) }];
}

/** The registry knows only what was registered there. */
export function aliasesOf({ champion, rollout, versions }: Model): Aliases {
  const registered = (number: number | undefined) =>
    versionOf(versions, number)?.registered ? { number } : { number: undefined };
  const trying = rollout === undefined || rolloutEnded(rollout) ? undefined : rollout.candidate;
  return defined({
    champion: registered(champion).number,
    challenger: registered(trying === champion ? undefined : trying).number,
  });
}

const messagesOwed = ({ tells }: Model): readonly Effect[] =>
  Object.entries(tells).map(([id, signal]) => ({ key: `tell/${id}`, kind: 'tell', stream: 'project', id, signal }));

function publishOwed({ lastEventSeq, announced }: Model): readonly Effect[] {
  if (lastEventSeq <= announced) return [];
  const to = Math.min(lastEventSeq, announced + entriesPerPublish);
  return [{ key: `publish/${announced}`, kind: 'publish', from: announced, to }];
}

/** What the answers to these effects mean. */
export const ownAnswers = {
  approvalMirrored(model: Model, { key }: SignalOf<'approvalMirrored'>): Step<Model> {
    const [, number, status] = key.split('/');
    const version = versionOf(model.versions, Number(number));
    if (version?.approval === undefined || version.approval.status !== status)
      return { ignored: 'the approval has changed since' };
    const approval = { ...version.approval, mirrored: version.approval.status };
    return { moved: withVersion(model, { ...version, approval }) };
  },
  aliasesMirrored(model: Model, { key }: SignalOf<'aliasesMirrored'>): Step<Model> {
    const [, champion, challenger] = key.split('/').map((part) => (part === '' ? undefined : Number(part)));
    return { moved: { ...model, aliased: defined({ champion, challenger }) } };
  },
  told(model: Model, { key }: SignalOf<'told'>): Step<Model> {
    if (!key.startsWith('tell/')) return { moved: model };
    const { [key.slice('tell/'.length)]: _, ...tells } = model.tells;
    return { moved: { ...model, tells } };
  },
  recorded: (model: Model, { key }: SignalOf<'recorded'>): Step<Model> => ({ moved: withoutRecord(model, key) }),
  announced: (model: Model, { upTo }: SignalOf<'announced'>): Step<Model> => ({
    moved: { ...model, announced: Math.max(model.announced, upTo) },
  }),
  notified: (model: Model, signal: SignalOf<'notified'>): Step<Model> => ({ moved: recordNotice(model, signal) }),
  /** Put off already, by its lease. */
  effectFailed: (model: Model): Step<Model> => ({ moved: model }),
} as const;

/** An effect that was refused and must happen is kept, and tried again with growing pauses. */
export const tryAgainSlowly = (
  model: Model,
  { key, at, because }: Pick<SignalOf<'effectRefused'>, 'key' | 'at' | 'because'>,
): Model => ({
  ...model,
  debts: { ...model.debts, [key]: retrySlowly(key, at, because) },
});
