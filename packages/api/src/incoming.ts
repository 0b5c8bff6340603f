import { instant } from '@serin/core/base/time';
import type { CompiledConfig } from '@serin/core/config/config';
import { type Addressed, type Fact, type FactOf, fingerprintOf, idOf, signalsOf } from '@serin/core/inbound/fact';
import { type Routes, routesOf } from '@serin/core/inbound/route';
import type { AlertRaised } from '@serin/core/model/monitor/protocol';
import * as z from 'zod';
import type { IncomingEvent } from './cloud-events.ts';
import { alertSenders } from './hooks.ts';
import { Problem, wrongs } from './problem.ts';
import { choices } from './shapes.ts';

const key = z.string().min(1).max(1024);
const model = z.string().min(1).max(63);
const title = z.string().max(500).optional();

/** Data of the events that Serin knows by type. */
export const dataSchemas = {
  'dev.serin.data.arrived.v1': z.strictObject({ bucket: z.string().min(1).max(63), key }),
  'dev.serin.run.requested.v1': z.strictObject({
    model,
    ...choices,
    commit: z.string().max(200).optional(),
    image: z.string().max(1024).optional(),
  }),
  'dev.serin.alert.raised.v1': z.strictObject({
    model,
    kind: z.enum(['alert', 'drift']).default('alert'),
    title,
    fingerprint: z.string().min(1).max(500).optional(),
  }),
  'dev.serin.alert.resolved.v1': z.strictObject({
    model,
    fingerprint: z.string().min(1).max(500).optional(),
    endedAt: z.iso
      .datetime({ offset: true })
      .max(64)
      .optional()
      .describe('of a sender that keeps no order: what began by then is over, however late it is told'),
  }),
} as const;

const raisedType = 'dev.serin.alert.raised.v1';
const resolvedType = 'dev.serin.alert.resolved.v1';

/**
 * The signals that an event means. What is for no model, an event that Serin itself sends (an echo of our own
 * announcements must not move anything), and a type that nobody said is an alarm are `invalid`: an alarm takes a release
 * back. None: the model that it names is not for who sent it.
 */
export async function signalsOfEvent(
  event: IncomingEvent,
  config: CompiledConfig,
  now: number,
  sees: (model: string) => boolean = () => true,
): Promise<readonly Addressed[]> {
  const routes = routesOf(config);
  const fact = factOf(event, now);
  const found = await signalsOf(fact, routes);
  if (found.length > 0) return found;
  const because = whyUnrouted(fact, event.id, routes, sees);
  if (because === undefined) return [];
  throw new Problem('invalid', because);
}

/** What an event says. */
function factOf(event: IncomingEvent, now: number): Fact {
  const id = idOf('ce', event.source, event.id);
  switch (event.type) {
    case 'dev.serin.data.arrived.v1':
      return { kind: 'object', id, ...dataOf(event, 'dev.serin.data.arrived.v1') };
    case 'dev.serin.run.requested.v1': {
      const { model: name, ...trigger } = dataOf(event, 'dev.serin.run.requested.v1');
      // `exactOptionalPropertyTypes`: a field of parsed JSON is never `undefined`.
      return { kind: 'run', id, model: name, trigger: { kind: 'manual', ...trigger } } as FactOf<'run'>;
    }
    case raisedType: {
      const {
        model: name,
        kind,
        fingerprint = fingerprintOf(raisedType, event.subject),
        ...said
      } = dataOf(event, raisedType);
      const says = { type: 'alertRaised', kind, ...raisedBy(event, now, said.title), fingerprint } as const;
      return { kind: 'alarm', id, of: { names: [name] }, says };
    }
    case resolvedType: {
      const {
        model: name,
        fingerprint = fingerprintOf(raisedType, event.subject),
        endedAt,
      } = dataOf(event, resolvedType);
      const end = endedAt === undefined ? {} : { endedAt };
      const says = { type: 'alertResolved', sender: senderOf(event), fingerprint, ...end } as const;
      return { kind: 'alarm', id, of: { names: [name] }, says };
    }
    default:
      if (event.type.startsWith('dev.serin.'))
        throw new Problem(
          'invalid',
          `Serin takes no event of type '${event.type}'; send ${Object.keys(dataSchemas).join(', ')}`,
        );
      return {
        kind: 'event',
        id,
        type: event.type,
        ...(event.subject === undefined ? {} : { subject: event.subject }),
        ...raisedBy(event, now),
        names: namesIn(event),
      };
  }
}

/** Why a fact is for no model; `undefined`: the model that it names is not for who sent it, who is told no more. */
function whyUnrouted(fact: Fact, event: string, routes: Routes, sees: (model: string) => boolean): string | undefined {
  const nobody = (name: string | undefined): string => `no model of the released config is named '${name}'`;
  switch (fact.kind) {
    case 'object':
      return `no model takes data or labels from '${fact.bucket}' under that key`;
    case 'run':
      return nobody(fact.model);
    case 'alarm':
      return 'names' in fact.of ? nobody(fact.of.names[0]) : undefined;
    case 'event':
      return whyNoAlarm(fact, event, routes, sees);
    default:
      return undefined;
  }
}

/** An event of another tool: an alarm, or its end, if the config of the model that it names lists its type. */
function whyNoAlarm(
  { names, type }: FactOf<'event'>,
  event: string,
  routes: Routes,
  sees: (model: string) => boolean,
): string | undefined {
  const model = names.find((name) => routes.models.has(name));
  if (model === undefined)
    return `the event '${event}' names no model of the released config, in 'model' or in its subject`;
  // What the config says of a model is not for those who may not see it.
  if (!sees(model)) return undefined;
  const listed = routes.alarms.filter((alarm) => alarm.model === model);
  const types = listed.flatMap(({ raised, resolved = [] }) => [raised].concat(resolved));
  return `'${type}' is not known to be an alarm of '${model}', which takes ${[raisedType, resolvedType, ...types].join(', ')}; list it in alerts.types if it is one`;
}

function dataOf<Type extends keyof typeof dataSchemas>(
  event: IncomingEvent,
  type: Type,
): z.output<(typeof dataSchemas)[Type]> {
  const parsed = dataSchemas[type].safeParse(event.data);
  if (!parsed.success)
    throw new Problem(
      'invalid',
      `the data of the event ${event.id} does not fit ${type}; correct the fields named in errors`,
      {
        errors: wrongs(parsed.error, '/data'),
      },
    );
  return parsed.data as z.output<(typeof dataSchemas)[Type]>; // the schema of this very type
}

const raisedBy = (
  event: IncomingEvent,
  now: number,
  title?: string,
): Pick<AlertRaised, 'sender' | 'startedAt' | 'title'> => ({
  sender: senderOf(event),
  startedAt: event.time ?? instant(now),
  title: title ?? (event.subject === undefined ? event.type : `${event.type} (${event.subject})`),
});

/** Nobody raises or resolves an alert in the name of a hook by an event. */
const senderOf = ({ source }: IncomingEvent): string => (Object.hasOwn(alertSenders, source) ? `./${source}` : source);

/** What an event of any tool may name its model in, the surest first: its extension or field `model`, or its subject. */
function namesIn(event: IncomingEvent): readonly string[] {
  const field = (event.data as { readonly model?: unknown } | null | undefined)?.model;
  const subject = event.subject?.replace(/^models\//, '');
  return [event.extensions.model, field, subject].filter((name) => typeof name === 'string');
}
