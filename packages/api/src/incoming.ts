import { canonical, sha256Hex } from '@serin/core/base/json';
import { instant } from '@serin/core/base/time';
import type { CompiledConfig } from '@serin/core/config/config';
import { type Routes, route, routesOf, takersOf } from '@serin/core/inbound/route';
import type { OutsideSignal } from '@serin/core/model/signal';
import * as z from 'zod';
import type { IncomingEvent } from './cloud-events.ts';
import { alertSenders } from './hooks.ts';
import { Problem, wrongs } from './problem.ts';
import { choices } from './shapes.ts';

/** What an event from outside means, and for whom. */
export interface Meaning {
  readonly models: readonly string[];
  readonly signal: OutsideSignal;
  /** Equal for each delivery of one event. */
  readonly id: string;
}

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
 * Reads an event as a signal. What is for no model, an event that Serin itself sends (an echo of our own announcements
 * must not move anything), and a type that nobody said is an alarm are `invalid`: an alarm takes a release back.
 */
export function meaningOf(
  event: IncomingEvent,
  config: CompiledConfig,
  now: number,
  sees: (model: string) => boolean = () => true,
): Meaning {
  const routes = routesOf(config);
  const id = `ce_${sha256Hex(canonical([event.source, event.id])).slice(0, 32)}`;
  switch (event.type) {
    case 'dev.serin.data.arrived.v1': {
      const { bucket, key: object } = dataOf(event, 'dev.serin.data.arrived.v1');
      const { models, type } = takersOf(routes, bucket, object);
      if (models.length === 0) throw unrouted(`no model takes data or labels from '${bucket}' under that key`);
      return { models, id, signal: { type, keys: [object] } };
    }
    case 'dev.serin.run.requested.v1': {
      const { model: name, ...trigger } = dataOf(event, 'dev.serin.run.requested.v1');
      // `exactOptionalPropertyTypes`: a field of parsed JSON is never `undefined`.
      const signal = { type: 'runRequested', trigger: { kind: 'manual', ...trigger } } as OutsideSignal;
      return { models: named(routes, name), id, signal };
    }
    case raisedType: {
      const data = dataOf(event, raisedType);
      return { models: named(routes, data.model), id, signal: alertOf(event, now, data) };
    }
    case resolvedType: {
      const { model: name, fingerprint, endedAt } = dataOf(event, resolvedType);
      const signal = {
        type: 'alertResolved',
        sender: senderOf(event),
        fingerprint: fingerprint ?? fingerprintOf(raisedType, event),
        ...(endedAt === undefined ? {} : { endedAt }),
      } as const;
      return { models: named(routes, name), id, signal };
    }
    default:
      if (event.type.startsWith('dev.serin.'))
        throw unrouted(
          `'${event.type}' is not an event that Serin takes; it takes ${Object.keys(dataSchemas).join(', ')}`,
        );
      return { ...alarmAnywhere(routes, event, now, sees), id };
  }
}

/** An event of another tool: an alarm, or its end, if the config of the model that it names lists its type. */
function alarmAnywhere(
  routes: Routes,
  event: IncomingEvent,
  now: number,
  sees: (model: string) => boolean,
): Pick<Meaning, 'models' | 'signal'> {
  const model = namedAnywhere(routes, event);
  // What the config says of a model is not for those who may not see it.
  if (!sees(model)) return { models: [], signal: { type: 'clockTicked' } };
  const listed = routes.alarms.filter((alarm) => alarm.model === model);
  const known = listed.find(({ raised, resolved }) => event.type === raised || event.type === resolved);
  if (known === undefined) {
    const types = listed.flatMap(({ raised, resolved = [] }) => [raised].concat(resolved));
    throw unrouted(
      `'${event.type}' is not known to be an alarm of '${model}', which takes ${[raisedType, resolvedType, ...types].join(', ')}; list it in alerts.types if it is one`,
    );
  }
  if (event.type === known.raised) return { models: [model], signal: alertOf(event, now, { kind: 'alert' }) };
  const fingerprint = fingerprintOf(known.raised, event);
  return { models: [model], signal: { type: 'alertResolved', sender: senderOf(event), fingerprint } };
}

function dataOf<Type extends keyof typeof dataSchemas>(
  event: IncomingEvent,
  type: Type,
): z.output<(typeof dataSchemas)[Type]> {
  const parsed = dataSchemas[type].safeParse(event.data);
  if (!parsed.success)
    throw new Problem('invalid', `the data of ${event.id} is not that of ${type}`, {
      errors: wrongs(parsed.error, '/data'),
    });
  return parsed.data as z.output<(typeof dataSchemas)[Type]>; // the schema of this very type
}

interface Said {
  readonly kind: 'alert' | 'drift';
  readonly title?: string | undefined;
  readonly fingerprint?: string | undefined;
}

function alertOf(event: IncomingEvent, now: number, said: Said): OutsideSignal {
  return {
    type: 'alertRaised',
    kind: said.kind,
    sender: senderOf(event),
    fingerprint: said.fingerprint ?? fingerprintOf(event.type, event),
    startedAt: event.time ?? instant(now),
    title: said.title ?? (event.subject === undefined ? event.type : `${event.type} (${event.subject})`),
  };
}

/** Nobody raises or resolves an alert in the name of a hook by an event. */
const senderOf = ({ source }: IncomingEvent): string => (Object.hasOwn(alertSenders, source) ? `./${source}` : source);

const fingerprintOf = (type: string, { subject }: IncomingEvent): string =>
  subject === undefined ? type : `${type}|${subject}`;

const unrouted = (because: string): Problem => new Problem('invalid', because);

function named(routes: Routes, name: string): readonly string[] {
  const models = route(routes, { kind: 'named', model: name });
  if (models.length === 0) throw unrouted(`no model of the released config is named '${name}'`);
  return models;
}

/** The model that an alarm of any tool names: in its extension or field `model`, or in its subject. */
function namedAnywhere(routes: Routes, event: IncomingEvent): string {
  const field = (event.data as { readonly model?: unknown } | null | undefined)?.model;
  const subject = event.subject?.replace(/^models\//, '');
  const names = [event.extensions.model, field, subject].filter((name) => typeof name === 'string');
  const found = names.find((name) => routes.models.has(name));
  if (found !== undefined) return found;
  throw unrouted(`the event '${event.id}' names no model of the released config, in 'model' or in its subject`);
}
