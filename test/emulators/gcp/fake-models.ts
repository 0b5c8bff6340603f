import { type Handlers, Refusal, type Request } from './discovery.ts';
import { type FakeOperations, instantOf, lastPart, location, minute } from './fake-operations.ts';

interface Version {
  readonly id: string;
  readonly createdAt: number;
  // As it was uploaded; what a request may hold is checked before it comes here.
  readonly body: Readonly<Record<string, unknown>>;
  description: string;
  labels: Readonly<Record<string, string>>;
  aliases: string[];
}

interface Model {
  readonly id: string;
  readonly displayName: string;
  /** Of the model, as its first version had them: they show on all its versions. */
  readonly labels: Readonly<Record<string, string>>;
  readonly versions: Version[];
}

interface Options {
  readonly now: () => number;
  readonly operations: FakeOperations;
  /** Whether a model is deployed anywhere. */
  readonly isDeployed: (id: string) => boolean;
  readonly uploadMs?: number;
  readonly pageSize?: number;
}

const missing = (name: string) => new Refusal('NOT_FOUND', `The Model does not exist: ${name}`);
const wrong = (message: string) => new Refusal('INVALID_ARGUMENT', message);

/**
 * Vertex AI's models and their versions: model_service.proto and model.proto.
 *
 * Guesses: that labels of a first version are those of its model, and show on all others; that an id in use is refused by
 * the call, and not by the operation; that an alias that is given again moves ("versionAliases ... unique").
 */
export function fakeModels({ now, operations, isDeployed, uploadMs = minute, pageSize = 100 }: Options) {
  const models = new Map<string, Model>();
  const coming = new Set<string>();

  function modelAt(name: string): Model {
    operations.settle();
    const found = models.get(lastPart(name).replace(/@.*/, ''));
    if (found === undefined) throw missing(name);
    return found;
  }

  function versionAt(name: string): { readonly model: Model; readonly version: Version } {
    const model = modelAt(name);
    const [, wanted = 'default'] = lastPart(name).split('@');
    const version = model.versions.find(({ id, aliases }) => id === wanted || aliases.includes(wanted));
    if (version === undefined) throw missing(name);
    return { model, version };
  }

  function shown({ id, displayName, labels }: Model, version: Version, withVersion = false): object {
    return {
      name: `${location}/models/${id}${withVersion ? `@${version.id}` : ''}`,
      displayName,
      versionId: version.id,
      versionAliases: version.aliases,
      versionDescription: version.description,
      labels: { ...labels, ...version.labels },
      // Of its container nothing is shown: the protos call that INPUT_ONLY.
      supportedDeploymentResourcesTypes: ['DEDICATED_RESOURCES'],
      createTime: instantOf(version.createdAt),
      versionCreateTime: instantOf(version.createdAt),
      etag: 'AMEw9y',
    };
  }

  function commit(id: string, body: Version['body']): object {
    const { displayName, versionDescription = '', versionAliases = [] } = body;
    const labels = (body.labels ?? {}) as Version['labels'];
    const model = models.get(id) ?? { id, displayName: String(displayName), labels, versions: [] };
    models.set(id, model);
    const aliases = [...(versionAliases as readonly string[]), ...(model.versions.length === 0 ? ['default'] : [])];
    for (const other of model.versions) other.aliases = other.aliases.filter((alias) => !aliases.includes(alias));
    const version = String(model.versions.length + 1);
    const made = { id: version, createdAt: now(), body, description: String(versionDescription), labels, aliases };
    model.versions.push(made);
    return {
      '@type': 'type.googleapis.com/google.cloud.aiplatform.v1.UploadModelResponse',
      model: `${location}/models/${id}`,
      modelVersionId: version,
    };
  }

  function upload({ body }: Request): object {
    operations.settle();
    const { modelId, parentModel, model } = body;
    if (modelId !== undefined && !/^[a-z_][a-z0-9_-]{0,62}$/.test(modelId)) throw wrong(`Invalid model id ${modelId}.`);
    if (modelId !== undefined && parentModel !== undefined) throw wrong('Only one of model_id and parent_model.');
    const id = modelId ?? lastPart(modelAt(parentModel).id);
    if (modelId !== undefined && (models.has(id) || coming.has(id)))
      throw new Refusal('ALREADY_EXISTS', `Model ${location}/models/${id} already exists.`);
    if (model.containerSpec?.imageUri === undefined) throw wrong('container_spec.image_uri is required.');
    for (const [key, value] of Object.entries<string>(model.labels ?? {}))
      if (!/^[a-z][a-z0-9_-]{0,62}$/.test(key) || !/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value))
        throw wrong(`Invalid label ${key}: ${value}`);
    for (const alias of model.versionAliases ?? [])
      if (!/^[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]$/.test(alias)) throw wrong(`Invalid alias ${alias}.`);
    if (modelId !== undefined) coming.add(id);
    const lands = () => {
      const { imageUri } = model.containerSpec;
      if (imageUri.includes('nowhere')) throw wrong(`The image ${imageUri} does not exist, or cannot be read.`);
      return commit(id, model);
    };
    return operations.begin(`models/${id}`, 'UploadModel', uploadMs, lands, () => coming.delete(id));
  }

  function listed(all: readonly object[], { query }: Request): object {
    const from = Number(query.get('pageToken') ?? 0);
    const to = from + Math.min(pageSize, Number(query.get('pageSize') ?? pageSize));
    return { models: all.slice(from, to), ...(to < all.length ? { nextPageToken: String(to) } : {}) };
  }

  const handlers = {
    'aiplatform.projects.locations.models.upload': upload,
    'aiplatform.projects.locations.models.get': ({ params }) => {
      const { model, version } = versionAt(params.name ?? '');
      return shown(model, version);
    },
    'aiplatform.projects.locations.models.list': (request) => {
      operations.settle();
      const [, key = '', value = ''] = /^labels\.(\w+)="([^"]*)"$/.exec(request.query.get('filter') ?? '') ?? [];
      const found = [...models.values()].filter(({ labels }) => labels[key] === value);
      return listed(
        found.flatMap((model) => (model.versions[0] === undefined ? [] : [shown(model, model.versions[0])])),
        request,
      );
    },
    'aiplatform.projects.locations.models.listVersions': (request) => {
      const model = modelAt(request.params.name ?? '');
      return listed(
        model.versions.map((version) => shown(model, version, true)),
        request,
      );
    },
    // "One request cannot update both the model and the version fields."
    'aiplatform.projects.locations.models.patch': ({ params, query, body }) => {
      const { model, version } = versionAt(params.name ?? '');
      const fields = (query.get('updateMask') ?? '').split(',');
      if (
        !lastPart(params.name ?? '').includes('@') ||
        fields.some((field) => !/^(versionDescription|labels)$/.test(field))
      )
        throw new Refusal('FAILED_PRECONDITION', 'Fields of the model and of the version in one update.');
      if (fields.includes('versionDescription')) version.description = body.versionDescription ?? '';
      if (fields.includes('labels')) version.labels = body.labels ?? {};
      return shown(model, version, true);
    },
    'aiplatform.projects.locations.models.mergeVersionAliases': ({ params, body }) => {
      if (!lastPart(params.name ?? '').includes('@')) throw wrong('The version ID must be explicitly included.');
      const { model, version } = versionAt(params.name ?? '');
      for (const said of body.versionAliases as readonly string[]) {
        const alias = said.replace(/^-/, '');
        if (!/^[a-z][a-zA-Z0-9-]{0,126}[a-z0-9-]$/.test(alias)) throw wrong(`Invalid alias ${said}.`);
        // Of one alias on two versions nothing is documented but that it is unique.
        const other = model.versions.find((each) => each !== version && each.aliases.includes(alias));
        if (said === alias && other !== undefined)
          throw new Refusal('FAILED_PRECONDITION', `The alias ${alias} is on version ${other.id}.`);
        version.aliases = version.aliases.filter((each) => each !== alias);
        if (said === alias) version.aliases.push(alias);
      }
      return shown(model, version, true);
    },
    'aiplatform.projects.locations.models.delete': ({ params }) => {
      const { id } = modelAt(params.name ?? '');
      if (isDeployed(id)) throw new Refusal('FAILED_PRECONDITION', `The Model ${id} is deployed or being deployed.`);
      return operations.begin(`models/${id}`, 'Delete', minute, () => {
        models.delete(id);
        return { '@type': 'type.googleapis.com/google.protobuf.Empty' };
      });
    },
  } satisfies Handlers;

  return { handlers, models, commit, has: (id: string) => models.has(id), imageOf };

  function imageOf(id: string): string {
    const [first] = models.get(id)?.versions ?? [];
    return String((first?.body.containerSpec as { readonly imageUri?: string } | undefined)?.imageUri);
  }
}

export type FakeModels = ReturnType<typeof fakeModels>;
