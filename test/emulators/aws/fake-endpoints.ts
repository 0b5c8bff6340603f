import type {
  CreateEndpointCommandInput,
  CreateEndpointConfigCommandInput,
  CreateModelCommandInput,
  ListEndpointConfigsCommandInput,
  ProductionVariant,
  UpdateEndpointCommandInput,
  UpdateEndpointWeightsAndCapacitiesCommandInput,
} from '@aws-sdk/client-sagemaker';
import { Refusal, seconds } from './fake-wire.ts';

interface Options {
  readonly now: () => number;
  /** How long a config cannot be found by what deploys it: "the response might include some stale data" (CreateEndpoint). */
  readonly configLagMs?: number;
}

interface Variant {
  readonly name: string;
  weight: number;
  desiredWeight: number;
  count: number;
}

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

interface Config {
  readonly name: string;
  readonly createdAt: number;
  readonly input: CreateEndpointConfigCommandInput;
}

interface Endpoint {
  readonly name: string;
  readonly createdAt: number;
  modifiedAt: number;
  status: string;
  config: string;
  production: Variant[];
  shadow: Variant[];
  reason?: string;
  /** What ends at a time; `lands` is called then. */
  pending?: { readonly endsAt: number; readonly config?: string; readonly lands: () => void };
}

export const minute = 60_000;
/** Documented durations do not exist; these are in their proportion ("minutes"; a change of weights is faster). */
const createMs = 5 * minute;
const updateMs = 6 * minute;
const weighMs = minute;
const deleteMs = minute;

const inProgress: ReadonlySet<string> = new Set(['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting']);

const account = 'arn:aws:sagemaker:eu-west-1:123456789012';
const invalid = (message: string) => new Refusal('ValidationException', message);

/**
 * SageMaker's hosting, as far as an endpoint's life goes: models, configs, endpoints that take minutes, updates that fail
 * and are taken back. Statuses, and which operation is refused in which, are those of the API reference
 * (DescribeEndpoint, UpdateEndpoint, CreateEndpointConfig). Messages are those that the sources of
 * aws-controllers-k8s/sagemaker-controller, terraform-provider-aws and the SageMaker SDKs match.
 *
 * Guesses: that an endpoint being created lists its variants in PendingDeploymentSummary alone; that a variant may be a
 * production variant in one config and a shadow in the next; that a failed update is InService with a FailureReason.
 */
export function fakeEndpoints({ now, configLagMs = 0 }: Options) {
  const models = new Map<string, CreateModelCommandInput>();
  const configs = new Map<string, Config>();
  const endpoints = new Map<string, Endpoint>();
  /** `endpoint/<name>/variant/<variant>`, with what was registered and its policies. */
  const targets = new Map<string, { MinCapacity: number; MaxCapacity: number; policies: Set<string> }>();

  /** By the ARN of what has them. */
  const tags = new Map<string, Map<string, string>>();
  const listed = (some: ReadonlyMap<string, string>): Tag[] => [...some].map(([Key, Value]) => ({ Key, Value }));

  function tagsOf(arn: string): Map<string, string> {
    const found = tags.get(arn.toLowerCase());
    if (found === undefined) throw invalid(`Could not find resource ${arn}.`);
    return found;
  }
  const tagged = (arn: string, list: CreateModelCommandInput['Tags']): void => {
    tags.set(arn, new Map((list ?? []).map(({ Key = '', Value = '' }) => [Key, Value])));
  };

  const at = (kind: string, name: string) => `${account}:${kind}/${name.toLowerCase()}`;

  function endpointOf(name: string): Endpoint {
    const found = endpoints.get(name);
    if (found?.pending !== undefined && now() >= found.pending.endsAt) {
      const { lands, endsAt } = found.pending;
      delete found.pending;
      found.modifiedAt = endsAt;
      lands();
    }
    const still = endpoints.get(name);
    if (still === undefined) throw invalid(`Could not find endpoint "${at('endpoint', name)}".`);
    return still;
  }

  function configOf(name: string): Config {
    const found = configs.get(name);
    if (found === undefined) throw invalid(`Could not find endpoint configuration "${at('endpoint-config', name)}".`);
    return found;
  }

  function deployable(name: string): Config {
    const found = configOf(name);
    if (now() < found.createdAt + configLagMs)
      throw invalid(`Could not find endpoint configuration "${at('endpoint-config', name)}".`);
    return found;
  }

  function changeable(name: string): Endpoint {
    const endpoint = endpointOf(name);
    if (endpoint.pending !== undefined || inProgress.has(endpoint.status))
      throw invalid(`Cannot update in-progress endpoint "${at('endpoint', name)}".`);
    return endpoint;
  }

  let nextFails: string | undefined;

  /** Why an endpoint cannot come to serve a config: a container that never answers its ping, or what a test ordered. */
  function whyNot({ input }: Config): string | undefined {
    const ordered = nextFails;
    nextFails = undefined;
    if (ordered !== undefined) return ordered;
    const all = [...(input.ProductionVariants ?? []), ...(input.ShadowProductionVariants ?? [])];
    const mute = all.find(({ ModelName = '' }) => models.get(ModelName)?.PrimaryContainer?.Image?.includes('mute'));
    return mute === undefined ? undefined : unhealthy(mute.VariantName ?? '');
  }
  const unhealthy = (variant: string) =>
    `The primary container for production variant ${variant} did not pass the ping health check. Please check CloudWatch logs for this endpoint.`;

  const variantsOf = (list: readonly ProductionVariant[] | undefined): Variant[] =>
    (list ?? []).map(({ VariantName = '', InitialVariantWeight = 1, InitialInstanceCount = 1 }) => ({
      name: VariantName,
      weight: InitialVariantWeight,
      desiredWeight: InitialVariantWeight,
      count: InitialInstanceCount,
    }));

  const begin = (endpoint: Endpoint, status: string, pending: NonNullable<Endpoint['pending']>): void => {
    endpoint.status = status;
    endpoint.modifiedAt = now();
    endpoint.pending = pending;
  };

  const sagemaker = {
    CreateModel(input: CreateModelCommandInput) {
      const name = input.ModelName ?? '';
      if (models.has(name)) throw invalid(`Cannot create already existing model "${at('model', name)}".`);
      const data = input.PrimaryContainer?.ModelDataSource?.S3DataSource?.S3Uri ?? '';
      if (data.includes('missing')) throw invalid(`Could not find model data at ${data}.`);
      models.set(name, input);
      tagged(at('model', name), input.Tags);
      return { ModelArn: at('model', name) };
    },

    DeleteModel({ ModelName }: { ModelName: string }) {
      if (!models.delete(ModelName)) throw invalid(`Could not find model "${at('model', ModelName)}".`);
      return {};
    },

    AddTags({ ResourceArn, Tags }: { ResourceArn: string; Tags: Tag[] }) {
      const tags = tagsOf(ResourceArn);
      for (const { Key, Value } of Tags) tags.set(Key, Value);
      return { Tags: listed(tags) };
    },

    ListTags: ({ ResourceArn }: { ResourceArn: string }) => ({ Tags: listed(tagsOf(ResourceArn)) }),

    CreateEndpointConfig(input: CreateEndpointConfigCommandInput) {
      const name = input.EndpointConfigName ?? '';
      if (configs.has(name))
        throw invalid(`Cannot create already existing endpoint configuration "${at('endpoint-config', name)}".`);
      const production = input.ProductionVariants ?? [];
      const shadow = input.ShadowProductionVariants ?? [];
      // "You can only specify one variant for ProductionVariants and one variant for ShadowProductionVariants."
      if (shadow.length > 0 && (shadow.length > 1 || production.length > 1))
        throw invalid('Only one production variant and one shadow variant can be specified.');
      const names = [...production, ...shadow].map(({ VariantName }) => VariantName);
      if (new Set(names).size < names.length) throw invalid('Variant names must be unique.');
      for (const { ModelName = '' } of [...production, ...shadow])
        if (!models.has(ModelName)) throw invalid(`Could not find model "${at('model', ModelName)}".`);
      configs.set(name, { name, createdAt: now(), input });
      tagged(at('endpoint-config', name), input.Tags);
      return { EndpointConfigArn: at('endpoint-config', name) };
    },

    DescribeEndpointConfig({ EndpointConfigName }: { EndpointConfigName: string }) {
      const { name, createdAt, input } = configOf(EndpointConfigName);
      const { Tags: _, ...rest } = input;
      return { ...rest, EndpointConfigArn: at('endpoint-config', name), CreationTime: seconds(createdAt) };
    },

    DeleteEndpointConfig({ EndpointConfigName }: { EndpointConfigName: string }) {
      configOf(EndpointConfigName);
      for (const { config, pending } of endpoints.values())
        if (config === EndpointConfigName || pending?.config === EndpointConfigName)
          throw new Error(`"You must not delete an EndpointConfig in use": ${EndpointConfigName}`);
      configs.delete(EndpointConfigName);
      return {};
    },

    ListEndpointConfigs(input: ListEndpointConfigsCommandInput) {
      const found = [...configs.values()]
        .filter(({ name }) => name.includes(input.NameContains ?? ''))
        .sort((a, b) => a.createdAt - b.createdAt);
      if (input.SortOrder !== 'Ascending') found.reverse();
      return {
        EndpointConfigs: found.slice(0, input.MaxResults ?? 10).map(({ name, createdAt }) => ({
          EndpointConfigName: name,
          EndpointConfigArn: at('endpoint-config', name),
          CreationTime: seconds(createdAt),
        })),
      };
    },

    CreateEndpoint({ EndpointName: name = '', EndpointConfigName = '' }: CreateEndpointCommandInput) {
      if (endpoints.has(name)) {
        endpointOf(name);
        throw invalid(`Cannot create already existing endpoint "${at('endpoint', name)}".`);
      }
      const config = deployable(EndpointConfigName);
      const times = { createdAt: now(), modifiedAt: now() };
      const made: Endpoint = { name, ...times, status: '', config: config.name, production: [], shadow: [] };
      endpoints.set(name, made);
      begin(made, 'Creating', {
        endsAt: now() + createMs,
        config: config.name,
        lands() {
          const reason = whyNot(config);
          if (reason !== undefined) Object.assign(made, { status: 'Failed', reason });
          else serve(made, config);
        },
      });
      return { EndpointArn: at('endpoint', name) };
    },

    UpdateEndpoint(input: UpdateEndpointCommandInput) {
      const endpoint = changeable(input.EndpointName ?? '');
      if (endpoint.status === 'Failed') throw invalid('Cannot update a failed endpoint.');
      const config = deployable(input.EndpointConfigName ?? '');
      const stays = new Set((config.input.ProductionVariants ?? []).map(({ VariantName }) => VariantName));
      // "Deregister the variant as a scalable target", else "the call fails" (guide, Update endpoints that use auto scaling).
      for (const { name } of endpoint.production)
        if (!stays.has(name) && targets.has(`endpoint/${endpoint.name}/variant/${name}`))
          throw invalid(`Variant ${name} is registered as a scalable target.`);
      const excluded = (input.ExcludeRetainedVariantProperties ?? []).map((row) => row.VariantPropertyType);
      const retains = (property: 'DesiredWeight' | 'DesiredInstanceCount') =>
        input.RetainAllVariantProperties === true && !excluded.includes(property);
      begin(endpoint, 'Updating', {
        endsAt: now() + updateMs,
        config: config.name,
        lands() {
          const reason = whyNot(config);
          if (reason !== undefined) Object.assign(endpoint, { status: 'InService', reason });
          else serve(endpoint, config, retains);
        },
      });
      return { EndpointArn: at('endpoint', endpoint.name) };
    },

    UpdateEndpointWeightsAndCapacities(input: UpdateEndpointWeightsAndCapacitiesCommandInput) {
      const endpoint = changeable(input.EndpointName ?? '');
      const rows = input.DesiredWeightsAndCapacities ?? [];
      for (const { VariantName } of rows)
        if (!endpoint.production.some(({ name }) => name === VariantName))
          throw invalid(
            `The variant name(s) "${VariantName}" is/are not present within endpoint configuration "${endpoint.config}".`,
          );
      const wanted = (name: string) => rows.find(({ VariantName }) => VariantName === name);
      for (const variant of endpoint.production)
        variant.desiredWeight = wanted(variant.name)?.DesiredWeight ?? variant.weight;
      begin(endpoint, 'Updating', {
        endsAt: now() + weighMs,
        lands() {
          endpoint.status = 'InService';
          for (const variant of endpoint.production) {
            variant.weight = variant.desiredWeight;
            variant.count = wanted(variant.name)?.DesiredInstanceCount ?? variant.count;
          }
        },
      });
      return { EndpointArn: at('endpoint', endpoint.name) };
    },

    DeleteEndpoint({ EndpointName }: { EndpointName: string }) {
      const endpoint = changeable(EndpointName);
      begin(endpoint, 'Deleting', { endsAt: now() + deleteMs, lands: () => endpoints.delete(EndpointName) });
      return {};
    },

    DescribeEndpoint({ EndpointName }: { EndpointName: string }) {
      const { name, status, config, createdAt, modifiedAt, reason, production, shadow, pending } =
        endpointOf(EndpointName);
      const coming = pending?.config === undefined ? undefined : configs.get(pending.config)?.input;
      const shown = (variants: readonly Variant[]) =>
        variants.map((variant) => ({
          VariantName: variant.name,
          CurrentWeight: variant.weight,
          DesiredWeight: variant.desiredWeight,
          CurrentInstanceCount: variant.count,
          DesiredInstanceCount: variant.count,
        }));
      const announced = (variants: readonly ProductionVariant[]) =>
        variants.map(({ VariantName, InitialVariantWeight, InitialInstanceCount, InstanceType }) => ({
          VariantName,
          DesiredWeight: InitialVariantWeight,
          DesiredInstanceCount: InitialInstanceCount,
          InstanceType,
        }));
      return {
        EndpointName: name,
        EndpointArn: at('endpoint', name),
        EndpointConfigName: config,
        EndpointStatus: status,
        CreationTime: seconds(createdAt),
        LastModifiedTime: seconds(modifiedAt),
        ...(reason === undefined ? {} : { FailureReason: reason }),
        ...(production.length === 0 ? {} : { ProductionVariants: shown(production) }),
        ...(shadow.length === 0 ? {} : { ShadowProductionVariants: shown(shadow) }),
        ...(coming === undefined
          ? {}
          : {
              PendingDeploymentSummary: {
                EndpointConfigName: pending?.config,
                ProductionVariants: announced(coming.ProductionVariants ?? []),
                ...(coming.ShadowProductionVariants === undefined
                  ? {}
                  : { ShadowProductionVariants: announced(coming.ShadowProductionVariants) }),
              },
            }),
      };
    },
  };

  /** "Production variants with the same name will be updated with the most recent DesiredInstanceCount" when retained. */
  function serve(
    endpoint: Endpoint,
    { name, input }: Config,
    retains: (property: 'DesiredWeight' | 'DesiredInstanceCount') => boolean = () => false,
  ): void {
    const before = new Map(endpoint.production.map((variant) => [variant.name, variant]));
    endpoint.production = variantsOf(input.ProductionVariants).map((variant) => {
      const old = before.get(variant.name);
      if (old === undefined) return variant;
      const weight = retains('DesiredWeight') ? old.desiredWeight : variant.weight;
      const count = retains('DesiredInstanceCount') ? old.count : variant.count;
      return { ...variant, weight, desiredWeight: weight, count };
    });
    endpoint.shadow = variantsOf(input.ShadowProductionVariants);
    endpoint.status = 'InService';
    endpoint.config = name;
    delete endpoint.reason;
  }

  return {
    sagemaker,
    autoscaling: fakeScaling(targets, (endpoint, variant) =>
      Boolean(endpoints.get(endpoint)?.production.some(({ name }) => name === variant)),
    ),
    targets,
    models,
    configs,
    /** Autoscaling, or a person: the instances of a variant change. */
    scale(name: string, variant: string, count: number) {
      const found = endpointOf(name).production.find((row) => row.name === variant);
      if (found !== undefined) found.count = count;
    },
    /** The next config that an endpoint is to serve fails, with this reason. */
    failNext(reason: string) {
      nextFails = reason;
    },
    /** Something of SageMaker's own that takes an endpoint: maintenance, a failure. */
    strike(name: string, status: string, reason?: string) {
      Object.assign(endpointOf(name), { status, modifiedAt: now() }, reason === undefined ? {} : { reason });
    },
    endpointOf,
  };
}

interface Target {
  readonly ResourceId: string;
  readonly MinCapacity: number;
  readonly MaxCapacity: number;
  readonly PolicyName: string;
}

/** Application Auto Scaling. Guess: that a variant which is not there cannot be registered. */
function fakeScaling(
  targets: Map<string, { MinCapacity: number; MaxCapacity: number; policies: Set<string> }>,
  exists: (endpoint: string, variant: string) => boolean,
) {
  const policyArn = (id: string, name: string) =>
    `arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:resource/sagemaker/${id}:policyName/${name}`;
  return {
    RegisterScalableTarget({ ResourceId, MinCapacity, MaxCapacity }: Target) {
      const [, endpoint = '', , variant = ''] = ResourceId.split('/');
      if (!exists(endpoint, variant)) throw invalid(`${ResourceId} does not exist`);
      targets.set(ResourceId, { MinCapacity, MaxCapacity, policies: targets.get(ResourceId)?.policies ?? new Set() });
      return {};
    },
    DeregisterScalableTarget({ ResourceId }: Target) {
      if (!targets.delete(ResourceId)) throw new Refusal('ObjectNotFoundException', `No scalable target ${ResourceId}`);
      return {};
    },
    PutScalingPolicy({ ResourceId, PolicyName }: Target) {
      const target = targets.get(ResourceId);
      if (target === undefined) throw new Refusal('ObjectNotFoundException', `No scalable target ${ResourceId}`);
      target.policies.add(PolicyName);
      return { PolicyARN: policyArn(ResourceId, PolicyName) };
    },
    DescribeScalingPolicies({ ResourceId }: Target) {
      return {
        ScalingPolicies: [...(targets.get(ResourceId)?.policies ?? [])].map((name) => ({
          PolicyARN: policyArn(ResourceId, name),
          PolicyName: name,
          ServiceNamespace: 'sagemaker',
          ResourceId,
          ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
          PolicyType: 'TargetTrackingScaling',
          CreationTime: 0,
        })),
      };
    },
  };
}
