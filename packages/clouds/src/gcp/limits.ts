import { hour, minute } from '@serin/core/base/time';
import type { CompiledConfig } from '@serin/core/config/config';
import { whenPart } from '@serin/core/config/limits';
import type { ConfigProblem } from '@serin/core/config/problems';
import {
  bucketNames,
  type CloudLimit,
  cannot,
  captured,
  labelled,
  labelsWant,
  problemsWith,
  slowDeployments,
} from '../limits.ts';
import { instanceTypes } from './instance-types.ts';
import { gcpNameProblems, isBucketName } from './names.ts';

const metrics = 'https://docs.cloud.google.com/monitoring/api/metrics_gcp_a_b';
const endpoint = 'aiplatform v1: Endpoint has trafficSplit, a percentage by deployed model, and nothing else';

// No row for guardrails.latency: prediction_latencies is a distribution, whose buckets count what is slower than a bound.
// None for the length of a job either: Scheduling.timeout has a default of 7 days, and no document names a maximum. None for
// the variables of a job: they stand in the script that starts it, not in the request.
export const limits: readonly CloudLimit[] = [
  cannot(
    'ticksWithinMinutes',
    "Cloud Monitoring counts by the minute: use a multiple of '1m'",
    'monitoring v3: Aggregation.alignmentPeriod, "must be at least 60 seconds"',
  ),
  cannot(
    'shadow',
    'Vertex AI does not mirror requests, which a shadow step needs: use canary, linear or blueGreen',
    endpoint,
  ),
  cannot(
    'segments',
    'Cloud Monitoring counts by deployed model, not by a header of the request: leave out segments',
    metrics,
  ),
  cannot(
    'stickyUsers',
    'Vertex AI chooses a deployed model for each request and uses no header for it: leave out stickyBy',
    endpoint,
  ),
  ...captured('the table of BigQuery', 'infra/gcp/topology/stores.ts: capturesOf'),
  ...labelled('the table of BigQuery', 'decisions/0093-labels-on-the-clouds.md'),
  ...labelsWant(
    ({ monitor: { capture } }) => capture !== undefined && capture.id === undefined,
    'Vertex AI tells no caller the id that it gives a request: name one of the fields in monitor.capture.id, by which labels name it',
    'aiplatform v1: PredictResponse has no id of the request',
  ),
  cannot(
    'metricsByRegex',
    'Vertex AI does not read metrics from the log of a job: leave out metrics, and let the program write metrics.json',
    'aiplatform v1: CustomJobSpec has no field for it',
  ),
  slowDeployments(
    hour,
    "a deployment on Vertex AI takes up to three operations of 20 minutes: use at least '1h'",
    'decisions/0013-ports-fit-three-clouds.md, not measured',
  ),
  {
    path: 'train.compute.nodes',
    broken: whenPart('train', ({ instances, accelerator }) => instances > 1 && /^TPU-/.test(accelerator?.type ?? '')),
    because: 'Vertex AI trains on a TPU with one worker only: use nodes: 1 and an accelerator of more chips',
    source: 'https://docs.cloud.google.com/vertex-ai/docs/training/configure-compute#tpus',
  },
  {
    path: 'serve.timeout',
    broken: ({ serve }) => serve !== 'none' && (serve.timeout ?? 0) > 10 * minute,
    because: "an endpoint of Vertex AI ends a request after 10 minutes: use at most '10m'",
    source: 'https://docs.cloud.google.com/vertex-ai/docs/predictions/create-public-endpoint, its default',
  },
  {
    path: 'serve.image',
    broken: ({ serve }) => serve !== 'none' && serve.image !== undefined && !isInRegistry(serve.image),
    because: 'Vertex AI only serves images of Artifact Registry (<region>-docker.pkg.dev/...): push the image there',
    source: 'aiplatform v1: ModelContainerSpec.imageUri, "must identify an image in Artifact Registry"',
  },
  ...bucketNames(
    isBucketName,
    "Cloud Storage refuses this name: use 3 to 63 lower-case letters, digits and hyphens, a letter or digit last, without 'google' or a leading 'goog'",
    'https://docs.cloud.google.com/storage/docs/buckets#naming',
  ),
];

/** gcr.io is served by Artifact Registry. https://docs.cloud.google.com/artifact-registry/docs/transition/transition-from-gcr */
const isInRegistry = (image: string): boolean => /^([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)\//.test(image);

export const problemsOf = (config: CompiledConfig): readonly ConfigProblem[] => [
  ...gcpNameProblems(config),
  ...problemsWith({ limits, instanceTypes }, config),
];
