import * as z from 'zod';
import { eventTypes } from '../base/event-types.ts';
import type { SinkPlan } from '../ports/notify.ts';
import { matches, type Sink } from '../sinks/sink.ts';
import { type SinkKind, sinks } from '../sinks/sinks.ts';
import { name, text } from './forms.ts';

/**
 * Who gets events. The author names the sinks once for all models, and the plan of a model has those that hear of it.
 */
const kinds = Object.keys(sinks) as readonly SinkKind[];

const pattern = z.string().refine((text) => eventTypes.some((type) => matches([text], type)), {
  error: `there is no event with this name: use one such as 'rollout.held', a group such as 'rollout.*', or '*'`,
});
const on = z.array(pattern).min(1);
const allowPrivate = z
  .array(
    z.string().regex(/^[a-z0-9.:[\]-]{1,255}$/, { error: 'write a host in lower case, with its port if it has one' }),
  )
  .describe('hosts that may have a private address, or be asked without TLS');

/** A text may be a secret: it is named here and looked up when it is used. */
const textOrSecret = z.union([text, z.strictObject({ secret: name })]);

// One that may be left out has the type of the others: nobody reads a field by its name here but `url`.
type SettingsOf<Kind extends SinkKind> = z.ZodObject<
  { readonly [Field in keyof (typeof sinks)[Kind]['settings']]: typeof textOrSecret },
  z.core.$strict
>;
// One field for each that the sink names, which the compiler does not see through `fromEntries`.
const settingsOf = <Kind extends SinkKind>(kind: Kind): SettingsOf<Kind> =>
  z.strictObject(
    Object.fromEntries(
      Object.entries(sinks[kind].settings).map(([field, what]) => {
        const described = textOrSecret.describe(what);
        const { optional = [] }: Sink = sinks[kind];
        return [field, optional.includes(field) ? described.optional() : described];
      }),
    ),
  ) as unknown as SettingsOf<Kind>;
type SettingsFields = { [Kind in SinkKind]: z.ZodOptional<SettingsOf<Kind>> };

/** Why an address that stands in the config cannot be asked; one that is a secret is looked at when it is used. */
function addressProblem(url: unknown, allowed: readonly string[] = []): string | undefined {
  if (typeof url !== 'string') return undefined;
  const [, scheme, host = ''] = /^(https?):\/\/([^/?#\s]+)/.exec(url) ?? [];
  if (scheme === 'https') return undefined;
  const isAllowed = allowed.includes(host) || allowed.includes(host.replace(/:\d+$/, ''));
  return scheme === 'http' && isAllowed
    ? undefined
    : 'must begin with https://, or with http:// for a host that allowPrivate names';
}

export const notifyOf = () =>
  z
    .array(
      z
        .strictObject({
          name: name.optional().describe('tells sinks of one kind apart; default: the kind'),
          on: on.optional().describe('events that it gets; default: by its kind'),
          models: z.array(name).min(1).optional().describe('default: all models'),
          allowPrivate: allowPrivate.optional(),
          // One optional field for each kind, which the compiler does not see through `fromEntries`.
          ...(Object.fromEntries(kinds.map((kind) => [kind, settingsOf(kind).optional()])) as SettingsFields),
        })
        .refine((given) => kinds.filter((kind) => given[kind] !== undefined).length === 1, {
          error: `name one receiver: ${kinds.join(' or ')}`,
        })
        .superRefine((given, context) => {
          for (const kind of kinds) {
            const message = addressProblem(given[kind]?.url, given.allowPrivate);
            if (message !== undefined) context.addIssue({ code: 'custom', path: [kind, 'url'], message });
          }
        }),
    )
    .max(20)
    .optional();
type Notify = NonNullable<z.output<ReturnType<typeof notifyOf>>>;

/** The sinks of a model as its plan has them. */
export const sinkPlans = z
  .array(
    z
      .union(
        kinds.map((kind) =>
          z.strictObject({
            name,
            kind: z.literal(kind),
            on,
            allowPrivate: allowPrivate.optional(),
            settings: settingsOf(kind),
          }),
        ),
      )
      .superRefine(({ settings, allowPrivate }, context) => {
        const message = addressProblem(settings.url, allowPrivate);
        if (message !== undefined) context.addIssue({ code: 'custom', path: ['settings', 'url'], message });
      }),
  )
  .max(20)
  .refine((plans) => new Set(plans.map(({ name }) => name)).size === plans.length, {
    error: 'two sinks have the same name: give each its own name',
  });

/** The sinks that hear of a model. */
export function sinksOf(notify: Notify | undefined, model: string): readonly SinkPlan[] {
  return (notify ?? [])
    .filter(({ models }) => models === undefined || models.includes(model))
    .flatMap((given) =>
      kinds.flatMap((kind): SinkPlan[] => {
        const settings = given[kind];
        if (settings === undefined) return [];
        const { name = kind, on = sinks[kind].defaultOn, allowPrivate } = given;
        return [{ name, kind, on, settings, ...(allowPrivate === undefined ? {} : { allowPrivate }) }];
      }),
    );
}

/** Two sinks must not share a name, and a model that a sink names must be in the config. */
export function notifyProblems(notify: Notify, models: readonly string[]) {
  const names = notify.map((given) => given.name ?? kinds.find((kind) => given[kind] !== undefined));
  return notify.flatMap((given, index) => [
    ...(names.indexOf(names[index]) < index
      ? [
          {
            path: ['notify', index, 'name'],
            message: `two sinks have the name '${names[index]}': give each its own name`,
          },
        ]
      : []),
    ...(given.models ?? [])
      .filter((model) => !models.includes(model))
      .map((model) => ({
        path: ['notify', index, 'models'],
        message: `the config has no model '${model}': name one that it has`,
      })),
  ]);
}
