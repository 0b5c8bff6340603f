import { withLast, without } from '../base/objects.ts';
import { type Refusal, refuse } from '../base/table.ts';
import type { EventBody } from '../ports/journal.ts';
import { applyRules } from './between/rules.ts';
import { commands } from './commands.ts';
import { endForward } from './endpoint/endpoint.ts';
import { eventsBetween } from './events.ts';
import { take } from './handlers.ts';
import { answerPending, type Dispatcher, isStale, reconcile } from './leases.ts';
import { passTime } from './machines.ts';
import { isNews } from './monitor/monitor.ts';
import { followSinks } from './notified.ts';
import { modelOwes, modelWakesAt } from './owed.ts';
import type { Answer, Effect, ModelSignal } from './protocol.ts';
import { type Model, modelStart } from './state.ts';

/** What a signal came to. Only `moved` is to be appended. */
export type Decision<State> =
  | {
      readonly moved: State;
      readonly events: readonly EventBody[];
      readonly taken: readonly Effect[];
      readonly because?: string;
    }
  | { readonly ignored: string }
  | { readonly repeated: string }
  | Refusal;

/** Signals of people and tools: each leaves one record, and is known when it comes again. */
const isRecorded = (type: ModelSignal['type']): boolean => Object.hasOwn(commands, type);
const rememberedSignals = 200;

/**
 * Decides one signal: pure, and total for every state and signal.
 *
 * The signal moves the machine it is for; then time passes for all machines (`at`, never earlier than the state's own);
 * then the rules between the machines run until they are content; then what is pending is reconciled with what is owed.
 */
export function decideModel(
  state: Model | undefined,
  signal: ModelSignal,
  stream: { readonly model: string; readonly seq: number },
  dispatcher: Dispatcher,
): Decision<Model> {
  const begun = state ?? beginModel(signal, stream.model);
  if ('refused' in begun) return begun;
  const seen = isRecorded(signal.type) ? begun.seen[signal.id] : undefined;
  const isStillNews = signal.type === 'alertRaised' && isNews(begun.monitor, signal, signal.at);
  if (seen !== undefined && !isStillNews) return { repeated: seen };

  const at = Math.max(begun.at, signal.at);
  const stamped = { ...signal, at };
  const moment = { at, seq: stream.seq, by: signal.actor.subject };
  const answered = endPending(begun, stamped);
  if ('ignored' in answered && !endsForward(begun, stamped)) return answered;
  const own = 'ignored' in answered ? { moved: withForwardEnded(begun, at) } : take(answered.moved, stamped, moment);
  if ('refused' in own) return own;

  const moved = 'moved' in own ? own.moved : 'ignored' in answered ? begun : answered.moved;
  const ruled = followSinks(applyRules(thaw(passTime(moved, stamped), at), moment, state));
  const events = eventsBetween(begun, ruled, stamped);
  const because = 'ignored' in own ? own.ignored : undefined;
  const noted = isRecorded(signal.type)
    ? { ...ruled, seen: withLast(ruled.seen, [signal.id, because ?? 'done'], rememberedSignals) }
    : ruled;
  const published = events.length > 0 ? { ...noted, lastEventSeq: stream.seq } : noted;
  const { debts, taken } = reconcile(published.debts, modelOwes(published, at), at, stream.seq, dispatcher);
  const next: Model = debts === published.debts ? published : { ...published, debts };
  if (next === begun && state !== undefined && !wasDue(begun, stamped))
    return { ignored: because ?? 'nothing changed' };
  return { moved: { ...next, at }, events, taken, ...(because === undefined ? {} : { because }) };
}

/** A tick that was waited for is appended, whatever came of it: until then its stream is due, and ticked each minute. */
const wasDue = (model: Model, { type, at }: ModelSignal): boolean =>
  type === 'clockTicked' && at >= (modelWakesAt(model) ?? Number.POSITIVE_INFINITY);

function beginModel(signal: ModelSignal, model: string): Model | Refusal {
  const plan = signal.type === 'configReleased' ? (signal.plan ?? signal.was) : undefined;
  return plan === undefined
    ? refuse(`there is no model '${model}'; release a config that names it`)
    : modelStart(model, plan, 0, signal.at);
}

const thaw = (model: Model, at: number): Model =>
  model.freeze?.until !== undefined && at >= model.freeze.until ? without(model, 'freeze') : model;

/** An answer ends its effect, or is stale. */
function endPending(model: Model, signal: ModelSignal): { readonly moved: Model } | { readonly ignored: string } {
  if (!isAnswer(signal)) return { moved: model };
  const debts = answerPending(model.debts, signal);
  return isStale(debts) ? debts : { moved: { ...model, debts } };
}

const isAnswer = (signal: ModelSignal): signal is Extract<ModelSignal, Answer> => 'taken' in signal;

/** The late answer of a write that the endpoint still reckons with: now it cannot land any more. */
const endsForward = ({ endpoint }: Model, signal: ModelSignal): boolean =>
  isAnswer(signal) && signal.type === 'endpointChanged' && endpoint.forward?.key === `${signal.key}#${signal.taken}`;
const withForwardEnded = (model: Model, at: number): Model => ({ ...model, endpoint: endForward(model.endpoint, at) });
