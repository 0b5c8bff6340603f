import type { CompiledConfig } from '../config/config.ts';

interface Place {
  readonly model: string;
  readonly bucket: string;
  readonly prefix: string;
}

/** Which models a signal from outside is for, as plain data made from the released config. */
export interface Routes {
  readonly data: readonly Place[];
  /** Where files of labels are dropped: never data. */
  readonly labels: readonly Place[];
  readonly ci: readonly {
    readonly model: string;
    readonly from: 'github' | 'webhook';
    readonly repository: string;
    readonly ref: string;
  }[];
  /** Types of CloudEvents that the config says are alarms of a model, and their end. */
  readonly alarms: readonly { readonly model: string; readonly raised: string; readonly resolved?: string }[];
  readonly models: ReadonlySet<string>;
}

export type Outside =
  | { readonly kind: 'object' | 'labels'; readonly bucket: string; readonly key: string }
  | { readonly kind: 'push'; readonly from: 'github' | 'webhook'; readonly repository: string; readonly ref: string }
  | { readonly kind: 'named'; readonly model: string };

const known = new WeakMap<object, Routes>();

/** The routes of a config; made once for each config object. */
export function routesOf(config: Pick<CompiledConfig, 'models'>): Routes {
  const routes = known.get(config) ?? made(config);
  known.set(config, routes);
  return routes;
}

function made(config: Pick<CompiledConfig, 'models'>): Routes {
  const models = Object.entries(config.models);
  return {
    data: models.map(([model, { data }]) => ({ model, bucket: data.bucket, prefix: data.prefix })),
    labels: models.flatMap(([model, { labels }]) => (labels === undefined ? [] : [{ model, ...labels }])),
    ci: models.flatMap(([model, { on }]) => [
      ...(on.ci?.github === undefined ? [] : [{ model, from: 'github' as const, ...on.ci.github }]),
      ...(on.ci?.webhook === undefined ? [] : [{ model, from: 'webhook' as const, ...on.ci.webhook }]),
    ]),
    // A config that was released before there were types has none.
    alarms: models.flatMap(([model, { alerts }]) =>
      ((alerts.types as typeof alerts.types | undefined) ?? []).map((type) => ({
        model,
        ...(typeof type === 'string' ? { raised: type } : type),
      })),
    ),
    models: new Set(models.map(([model]) => model)),
  };
}

/** The models that a signal from outside is for. None: it is acknowledged and counted, or a 4xx over HTTP. */
export function route(routes: Routes, outside: Outside): readonly string[] {
  switch (outside.kind) {
    case 'object':
    case 'labels':
      return routes[outside.kind === 'object' ? 'data' : 'labels']
        .filter(({ bucket, prefix }) => bucket === outside.bucket && outside.key.startsWith(prefix))
        .map(({ model }) => model);
    case 'push':
      return routes.ci
        .filter(
          ({ from, repository, ref }) =>
            from === outside.from && ref === outside.ref && named(from, repository) === named(from, outside.repository),
        )
        .map(({ model }) => model);
    case 'named':
      return routes.models.has(outside.model) ? [outside.model] : [];
  }
}

/** GitHub ignores case in the names of owners and repositories; other hosts may not. */
const named = (from: 'github' | 'webhook', repository: string): string =>
  from === 'github' ? repository.toLowerCase() : repository;

/** Who takes an object, and the hint that tells them. Prefixes of labels and data never overlap (see the config). */
export function takersOf(routes: Routes, bucket: string, key: string) {
  const models = route(routes, { kind: 'object', bucket, key });
  return models.length > 0
    ? { models, type: 'dataHinted' as const }
    : { models: route(routes, { kind: 'labels', bucket, key }), type: 'labelsHinted' as const };
}

/** The models whose place lies below a folder of a bucket; without a folder, anywhere in the bucket. */
export const modelsBelow = (places: Routes['data'], of: string, folder?: string): readonly string[] =>
  places
    .filter(({ bucket, prefix }) => bucket === of && (folder === undefined || prefix.startsWith(`${folder}/`)))
    .map(({ model }) => model);
