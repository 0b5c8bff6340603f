import { without } from '../base/objects.ts';
import { refuse, type Step } from '../base/table.ts';
import type { Effect, SignalOf } from './protocol.ts';
import type { Model } from './state.ts';

/** After a long silence of a sink what waits is sent in parts, so that each gets done within its lease. */
const entriesPerNotice = 1000;
/** Most entries that are sent once more at a time. */
const mostAgain = 200;

type Notified = Pick<Model, 'plan' | 'notified' | 'notifyAgain' | 'lastEventSeq'>;

/** One order for each sink that has not been notified of everything: a slow one delays no other. */
export function noticesOwed({ plan, notified = {}, notifyAgain = {}, lastEventSeq }: Notified): readonly Effect[] {
  return (plan.notify ?? []).flatMap((sink): Effect[] => {
    const from = notified[sink.name] ?? lastEventSeq;
    const to = Math.min(lastEventSeq, from + entriesPerNotice);
    const news = from < to ? [{ key: `notify/${sink.name}/${from}`, kind: 'notify', sink, from, to } as const] : [];
    const again = Object.values(notifyAgain)
      .filter((asked) => asked.sink === sink.name)
      .map(
        ({ seq, index }) =>
          ({
            key: `notify/${sink.name}/again/${seq}/${index}`,
            kind: 'notify',
            sink,
            from: seq - 1,
            to: seq,
            index,
          }) as const,
      );
    return [...news, ...again];
  });
}

/** A sink that is new in the config hears of what happens from now on; one that left it is forgotten. */
export function followSinks<State extends Notified>(model: State): State {
  const { plan, notified = {}, lastEventSeq } = model;
  const names = (plan.notify ?? []).map(({ name }) => name);
  if (names.length === 0)
    return model.notified === undefined ? model : (without(model, 'notified', 'notifyAgain') as State);
  if (Object.keys(notified).length === names.length && names.every((name) => name in notified)) return model;
  return { ...model, notified: Object.fromEntries(names.map((name) => [name, notified[name] ?? lastEventSeq])) };
}

/** What a sink was notified of. */
export function recordNotice(model: Model, { key, upTo }: SignalOf<'notified'>): Model {
  const [, name = '', again, seq, index] = key.split('/');
  if (again === 'again') {
    const { [`${name}/${seq}/${index}`]: _, ...left } = model.notifyAgain ?? {};
    return Object.keys(left).length === 0 ? (without(model, 'notifyAgain') as Model) : { ...model, notifyAgain: left };
  }
  return { ...model, notified: { ...model.notified, [name]: Math.max(model.notified?.[name] ?? 0, upTo) } };
}

/** A delivery that became a dead letter is tried once more. */
export function notifyAgain(model: Model, { sink, seq, index }: SignalOf<'notifyRequested'>): Step<Model> {
  if (!model.plan.notify?.some(({ name }) => name === sink))
    return refuse(`the config has no sink '${sink}' for ${model.model} any more; discard the dead letter`);
  const asked = { ...model.notifyAgain, [`${sink}/${seq}/${index}`]: { sink, seq, index } };
  if (Object.keys(asked).length > mostAgain)
    return refuse(
      `${mostAgain} deliveries to sinks of ${model.model} are waiting already; replay this one when they are done`,
    );
  return { moved: { ...model, notifyAgain: asked } };
}

/** Which sinks could not be notified of something yet, and why. */
export function untoldTexts({ plan, debts }: Pick<Model, 'plan' | 'debts'>): readonly string[] {
  return (plan.notify ?? []).flatMap(({ name }) => {
    const failed = Object.entries(debts).find(
      ([key, { failures }]) => key.startsWith(`notify/${name}/`) && failures > 0,
    )?.[1];
    return failed === undefined ? [] : [`the sink '${name}' was not told yet: ${failed.because}`];
  });
}
