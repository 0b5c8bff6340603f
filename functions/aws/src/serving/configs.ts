import {
  AddTagsCommand,
  CreateEndpointConfigCommand,
  type DataCaptureConfig,
  DeleteEndpointConfigCommand,
  DescribeEndpointConfigCommand,
  type DescribeEndpointConfigCommandOutput,
  ListEndpointConfigsCommand,
  type ProductionVariant,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { sha256Hex } from '@serin/core/base/json';
import { defined } from '@serin/core/base/objects';
import type { Installation } from '@serin/platform/names';
import { tagsOn } from '../calls/tags.ts';
import { awsFault, guarded, ifThere, saysExists } from '../faults.ts';
import { tagsOf } from '../names.ts';

/** What an endpoint is to serve: one config of SageMaker, which never changes. */
export interface Plan {
  readonly production: readonly ProductionVariant[];
  readonly shadow?: ProductionVariant;
  /** What is kept of the requests to all variants; absent: nothing. */
  readonly capture?: DataCaptureConfig;
}

export const variantsOf = ({ production, shadow }: Plan): readonly ProductionVariant[] => [
  ...production,
  ...(shadow === undefined ? [] : [shadow]),
];

/** An endpoint from its creation to its end. */
interface Life {
  readonly arn: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export interface Configs {
  /** Creates the config that follows another one (`''`: the endpoint is new), and answers its name. Twice: one config. */
  create(endpoint: string, after: string, plan: Plan): Promise<string>;
  /** `undefined`: there is none. What a name says never changes, so it is read once. */
  plan(name: string): Promise<Plan | undefined>;
  /** The newest of an endpoint, newest first. */
  newest(endpoint: string): Promise<readonly string[]>;
  /**
   * Marks a config that this endpoint, as it was seen before, was ordered to serve; and reads the mark. Twice: the same.
   * An endpoint that was not modified since does not show the order yet: nothing is known of how it ended.
   */
  markTried(endpoint: Life, name: string): Promise<void>;
  wasTried(endpoint: Life, name: string): Promise<boolean>;
  /** Twice: the same. */
  remove(name: string): Promise<void>;
  /** Is it the config that followed `after`? A config that lost a race, or is of an earlier life, is not. */
  follows(endpoint: string, name: string, after: string, plan: Plan): boolean;
}

/**
 * Names say what a config holds and which one it follows: a content that comes back has another name, and a change that
 * SageMaker took back is found again as the config that follows the serving one.
 */
export function endpointConfigs(options: {
  readonly sagemaker: SageMakerClient;
  readonly installation: Installation;
  readonly kmsKey?: string;
}): Configs {
  const { sagemaker, installation, kmsKey } = options;
  const known = new Map<string, Plan>();

  return {
    follows: (endpoint, name, after, plan) => nameOfPlan(endpoint, after, plan) === name,

    async create(endpoint, after, plan) {
      const name = nameOfPlan(endpoint, after, plan);
      const command = new CreateEndpointConfigCommand({
        EndpointConfigName: name,
        ProductionVariants: [...plan.production],
        ...(plan.shadow === undefined ? {} : { ShadowProductionVariants: [plan.shadow] }),
        ...(plan.capture === undefined ? {} : { DataCaptureConfig: plan.capture }),
        ...(kmsKey === undefined || variantsOf(plan).some(isEncryptedAnyway) ? {} : { KmsKeyId: kmsKey }),
        Tags: tagsOf(installation, { 'serin:endpoint': endpoint, 'serin:after': after }),
      });
      try {
        await sagemaker.send(command);
      } catch (error) {
        if (!saysExists(error)) throw awsFault(error, `creating a config of the endpoint ${endpoint}`);
      }
      return name;
    },

    async plan(name) {
      const found = known.get(name);
      if (found !== undefined) return found;
      const command = new DescribeEndpointConfigCommand({ EndpointConfigName: name });
      const read = await ifThere(`reading the endpoint config ${name}`, () => sagemaker.send(command));
      if (read === undefined) return undefined;
      const plan = planOf(read);
      if (known.size >= remembers) known.clear();
      known.set(name, plan);
      return plan;
    },

    async newest(endpoint) {
      const command = new ListEndpointConfigsCommand({
        NameContains: `-${markOf(endpoint)}-`,
        SortBy: 'CreationTime',
        SortOrder: 'Descending',
        MaxResults: listed,
      });
      const doing = `listing the configs of the endpoint ${endpoint}`;
      const { EndpointConfigs = [] } = await guarded(doing, () => sagemaker.send(command));
      return EndpointConfigs.map(({ EndpointConfigName = '' }) => EndpointConfigName);
    },

    async markTried(endpoint, name) {
      const Tags = [{ Key: triedTag, Value: `${endpoint.createdAt}-${endpoint.modifiedAt}` }];
      const command = new AddTagsCommand({ ResourceArn: arnOf(endpoint, name), Tags });
      await guarded(`marking the endpoint config ${name}`, () => sagemaker.send(command));
    },

    async wasTried(endpoint, name) {
      const tags = await tagsOn(sagemaker, arnOf(endpoint, name));
      const [createdAt, modifiedAt] = (tags.get(triedTag) ?? '').split('-').map(Number);
      return createdAt === endpoint.createdAt && modifiedAt !== endpoint.modifiedAt;
    },

    async remove(name) {
      const command = new DeleteEndpointConfigCommand({ EndpointConfigName: name });
      await ifThere(`deleting the endpoint config ${name}`, () => sagemaker.send(command));
      known.delete(name);
    },
  };
}

// "You can't request a KmsKeyId when using an instance type with local storage": its disks are encrypted by the machine
// itself, and the call fails (API reference, CreateEndpointConfig).
const isEncryptedAnyway = ({ InstanceType }: ProductionVariant): boolean =>
  /^ml\.(g4dn|g5|g6|gr6|g7|p3dn|p4|p5|p6|trn|[a-z]+\d[a-z]*d[a-z]*)/.test(InstanceType ?? '');

const triedTag = 'serin:tried';
const arnOf = ({ arn }: Life, name: string): string => arn.replace(/:endpoint\/.*$/, `:endpoint-config/${name}`);

const remembers = 200;
const listed = 20;
const hashLength = 16;
const maxLength = 63;

/** The hash at the end of an endpoint's name: no other endpoint has it. */
const markOf = (endpoint: string): string => endpoint.slice(-hashLength);

function nameOfPlan(endpoint: string, after: string, { production, shadow, capture }: Plan): string {
  const row = ({ VariantName, ModelName, InitialVariantWeight, InitialInstanceCount }: ProductionVariant) => [
    VariantName,
    ModelName,
    InitialVariantWeight,
    InitialInstanceCount,
  ];
  const share = capture === undefined ? [] : [capture.InitialSamplingPercentage];
  const content = JSON.stringify([
    ...[endpoint, after, production.map(row), shadow === undefined ? null : row(shadow)],
    ...share,
  ]);
  const readable = endpoint.slice(0, Math.min(endpoint.length - hashLength, maxLength - 2 * hashLength - 2));
  const hash = sha256Hex(content).slice(0, hashLength);
  // ARNs have names in lower case, and the tags of a config are read by its ARN.
  return `${readable.replace(/-+$/, '')}-${markOf(endpoint)}-${hash}`.toLowerCase();
}

function planOf({
  ProductionVariants: production = [],
  ShadowProductionVariants: [shadow] = [],
  DataCaptureConfig: capture,
}: DescribeEndpointConfigCommandOutput): Plan {
  return { production, ...defined({ shadow, capture: capture?.EnableCapture ? capture : undefined }) };
}
