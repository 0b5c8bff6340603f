import { hour } from '@serin/core/base/time';
import type { CompiledConfig } from '@serin/core/config/config';
import { jobPathsOf } from '@serin/core/config/parts';
import type { ConfigProblem } from '@serin/core/config/problems';
import {
  bucketNames,
  type CloudLimit,
  cannot,
  inRequest,
  noSecretsByName,
  problemsWith,
  slowDeployments,
} from '../limits.ts';
import { instanceTypes } from './instance-types.ts';
import { gcpNameProblems, isBucketName } from './names.ts';

const metrics = 'https://docs.cloud.google.com/monitoring/api/metrics_gcp_a_b';
const endpoint = 'aiplatform v1: Endpoint has trafficSplit, a percentage by deployed model, and nothing else';
const noRequestIds =
  'Cloud Monitoring counts the requests of a deployed model and keeps none, so a label cannot be told to a version: leave it out, or judge by errors and latency';

// ContainerSpec.env of aiplatform v1: "Maximum limit is 100"; half of them may be ours.
const mostVariables = 50;

// No row for guardrails.latency: prediction_latencies is a distribution, whose buckets count what is slower than a bound.
// None for the length of a job either: Scheduling.timeout has a default of 7 days, and no document names a maximum.
export const limits: readonly CloudLimit[] = [
  cannot(
    'ticksWithinMinutes',
    "Cloud Monitoring counts by the minute: a multiple of '1m'",
    'monitoring v3: Aggregation.alignmentPeriod, "must be at least 60 seconds"',
  ),
  cannot(
    'shadow',
    'Vertex AI mirrors no requests, and a shadow step waits for them: use canary, linear or blueGreen',
    endpoint,
  ),
  cannot(
    'segments',
    'Cloud Monitoring counts by deployed model, not by a header of the request: leave segments out',
    metrics,
  ),
  cannot('labelsGuardrail', noRequestIds, metrics),
  cannot('labels', noRequestIds, metrics),
  cannot(
    'stickyUsers',
    'Vertex AI draws a deployed model for each request and takes no header into account: leave stickyBy out',
    endpoint,
  ),
  cannot(
    'metricsByRegex',
    'Vertex AI reads no metrics from the log of a job: leave metrics out, and let the program write metrics.json',
    'aiplatform v1: CustomJobSpec has no field for it',
  ),
  slowDeployments(
    hour,
    "a deployment on Vertex AI takes up to three operations of 20 minutes: '1h' at least",
    'decisions/0013-ports-fit-three-clouds.md, not measured',
  ),
  {
    path: 'serve.image',
    broken: ({ serve }) => serve !== 'none' && serve.image !== undefined && !isInRegistry(serve.image),
    because: 'Vertex AI serves images of Artifact Registry (<region>-docker.pkg.dev/...) only: push it there',
    source: 'aiplatform v1: ModelContainerSpec.imageUri, "must identify an image in Artifact Registry"',
  },
  ...jobPathsOf().map((path) => ({
    path: `${path}.environment`,
    broken: inRequest(path, ({ environment }) => Object.keys(environment).length > mostVariables),
    because: `a job of Vertex AI takes ${mostVariables} variables beside ours: put more into a file`,
    source: 'aiplatform v1: ContainerSpec.env, "Maximum limit is 100"',
  })),
  ...bucketNames(
    isBucketName,
    "Cloud Storage has no bucket of this name: 3 to 63 lower-case letters, digits and hyphens, a letter or digit last, without 'google' and not from 'goog' on",
    'https://docs.cloud.google.com/storage/docs/buckets#naming',
  ),
  ...noSecretsByName(
    'a secret by name is looked up on one machine and on aws only: let the program read it from Secret Manager itself',
  ),
];

/** gcr.io is served by Artifact Registry. https://docs.cloud.google.com/artifact-registry/docs/transition/transition-from-gcr */
const isInRegistry = (image: string): boolean => /^([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)\//.test(image);

export const problemsOf = (config: CompiledConfig): readonly ConfigProblem[] => [
  ...gcpNameProblems(config),
  ...problemsWith({ limits, instanceTypes }, config),
];
