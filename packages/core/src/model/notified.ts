import { defined, own, without } from '../base/objects.ts';
import { refuse, type Step } from '../base/table.ts';
import type { Effect, SignalOf } from './protocol.ts';
import type { Model } from './state.ts';

/** After a long silence of a sink what waits is sent in parts, so that each gets done within its lease. */
const entriesPerNotice = 1000;
/** Most entries that are sent once more at a time. */
const mostAgain = 200;

type Notified = Pick<Model, 'plan' | 'notified' | 'notifiedEvents' | 'notifyAgain' | 'lastEventSeq'>;

/** One order for each sink that has not been notified of everything: a slow one delays no other. */
export function noticesOwed({ notifyAgain = {}, ...model }: Notified): readonly Effect[] {
  return (model.plan.notify ?? []).flatMap((sink): Effect[] => {
    const from = notifiedUpTo(model, sink.name);
    const to = Math.min(model.lastEventSeq, from + entriesPerNotice);
    const delivered = own(model.notifiedEvents, sink.name);
    const key = `notify/${sink.name}/${from}${delivered === undefined ? '' : `.${delivered}`}`;
    const news = from < to ? [{ key, kind: 'notify', sink, from, to, ...defined({ delivered }) } as const] : [];
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
  const names = (model.plan.notify ?? []).map(({ name }) => name);
  const known = Object.keys(model.notified ?? {});
  if (known.length === names.length && names.every((name) => known.includes(name))) return model;
  const notified = Object.fromEntries(names.map((name) => [name, notifiedUpTo(model, name)]));
  const delivered = only(model.notifiedEvents, ([name]) => names.includes(name));
  const again = only(model.notifyAgain, ([, { sink }]) => names.includes(sink));
  return filled(filled(filled(model, 'notified', notified), 'notifiedEvents', delivered), 'notifyAgain', again);
}

const notifiedUpTo = ({ notified, lastEventSeq }: Omit<Notified, 'plan'>, name: string): number =>
  own(notified, name) ?? lastEventSeq;

const only = <Value>(record: Readonly<Record<string, Value>> = {}, isKept: (entry: [string, Value]) => boolean) =>
  Object.fromEntries(Object.entries(record).filter(isKept));

/** A record without entries is not there. */
const filled = <State extends Notified, Field extends 'notified' | 'notifiedEvents' | 'notifyAgain'>(
  model: State,
  field: Field,
  record: NonNullable<Notified[Field]>,
): State => (Object.keys(record).length === 0 ? (without(model, field) as State) : { ...model, [field]: record });

/** What a sink was notified of. */
export function recordNotice(model: Model, { key, upTo, delivered }: SignalOf<'notified'>): Model {
  const [, name = '', again, seq, index] = key.split('/');
  if (again === 'again')
    return filled(
      model,
      'notifyAgain',
      only(model.notifyAgain, ([asked]) => asked !== `${name}/${seq}/${index}`),
    );
  const notified = { ...model.notified, [name]: Math.max(own(model.notified, name) ?? 0, upTo) };
  const others = only(model.notifiedEvents, ([sink]) => sink !== name);
  return filled({ ...model, notified }, 'notifiedEvents', {
    ...others,
    ...(delivered === undefined ? {} : { [name]: delivered }),
  });
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
