import { Fault } from '@serin/core/base/fault';
import { describe, expect, test } from 'vitest';
import { GoogleError } from './calls/google.ts';
import { gcpFault, guarded, ifThere, saysExists, saysMissing } from './faults.ts';

const statuses: Readonly<Record<string, number>> = {
  ...{ INVALID_ARGUMENT: 400, FAILED_PRECONDITION: 400, UNAUTHENTICATED: 401, PERMISSION_DENIED: 403 },
  ...{ NOT_FOUND: 404, ALREADY_EXISTS: 409, ABORTED: 409, RESOURCE_EXHAUSTED: 429, INTERNAL: 500, UNAVAILABLE: 503 },
};

const refused = (rpc: string, message: string, reason = '') =>
  new GoogleError(message, { rpc, status: statuses[rpc] ?? 0, reason });

/** What Google said to others, as they reported it. */
const faultOf = (rpc: string, message: string, reason?: string) => gcpFault(refused(rpc, message, reason), 'asking');

describe('what mends is said', () => {
  // https://github.com/GoogleCloudPlatform/vertex-ai-samples/issues/476
  test('an API that is not enabled, by the command that enables it', () => {
    const text =
      'Vertex AI API has not been used in project 720070608347 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=720070608347 then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.';

    const fault = faultOf('PERMISSION_DENIED', text, 'SERVICE_DISABLED');

    expect(fault.code).toBe('invalid');
    expect(fault.message).toContain('`gcloud services enable aiplatform.googleapis.com`');
    expect(faultOf('PERMISSION_DENIED', text).message).toBe(fault.message);
  });

  // https://github.com/GoogleCloudPlatform/php-docs-samples/issues/1235 and java-docs-samples/issues/276
  test.each([
    [
      'This API method requires billing to be enabled. Please enable billing on project #1051023892108 by visiting https://console.developers.google.com/billing/enable?project=1051023892108 then retry.',
      'BILLING_DISABLED',
    ],
    ['Project charming-module-137923 (#808448574146) has billing disabled. Please enable it.', 'forbidden'],
    ['A text that is new.', 'BILLING_DISABLED'],
  ])('a project without billing: %.40s', (text, reason) => {
    expect(faultOf('PERMISSION_DENIED', text, reason)).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('`gcloud billing projects link`'),
    });
  });

  // https://github.com/googleapis/python-aiplatform/issues/5132
  test('a perimeter of VPC Service Controls is not a role that is missing', () => {
    const text =
      "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: HICD57WFowE88NokFnby";

    expect(faultOf('PERMISSION_DENIED', text, 'SECURITY_POLICY_VIOLATED').message).toMatch(
      /perimeter of VPC Service Controls.*HICD57WFowE88NokFnby/,
    );
  });

  // https://github.com/GoogleCloudPlatform/t5x-on-vertex-ai/issues/5 and weg-li/weg-li/issues/494
  test.each([
    [
      'PERMISSION_DENIED',
      "Permission 'aiplatform.tensorboards.create' denied on resource '//aiplatform.googleapis.com/projects/kmikit5x/locations/us-central1' (or it may not exist).",
      'IAM_PERMISSION_DENIED',
      /serin plan --cloud gcp.*aiplatform\.tensorboards\.create/,
    ],
    [
      'PERMISSION_DENIED',
      'wegli-107@wegli-332509.iam.gserviceaccount.com does not have storage.objects.create access to the Google Cloud Storage object.',
      'forbidden',
      /serin plan --cloud gcp.*storage\.objects\.create/,
    ],
  ])('a permission that is missing is named (%s: %.50s)', (rpc, text, reason, said) => {
    expect(faultOf(rpc, text, reason)).toMatchObject({ code: 'invalid', message: expect.stringMatching(said) });
  });

  // https://github.com/googleapis/python-aiplatform/issues/1073: it comes as INVALID_ARGUMENT.
  test('an account as which a job may not run, with the role that lets it', () => {
    const text =
      'You do not have permission to act as service_account: 123-compute@developer.gserviceaccount.com. (or it may not exist).';

    expect(faultOf('INVALID_ARGUMENT', text)).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(
        'roles/iam.serviceAccountUser on 123-compute@developer.gserviceaccount.com: You',
      ),
    });
  });

  // https://github.com/GoogleCloudPlatform/vertex-ai-samples/issues/3710: it comes as FAILED_PRECONDITION.
  test("an account of Google's own that may not read the model's files", () => {
    const text =
      'Service account `service-789051324393@gcp-sa-aiplatform.iam.gserviceaccount.com` does not have `[storage.objects.get]` IAM permission(s) to the directory "gs://mco-mm/churn".';

    expect(faultOf('FAILED_PRECONDITION', text).message).toContain(
      'give service-789051324393@gcp-sa-aiplatform.iam.gserviceaccount.com this permission: ',
    );
  });

  // https://github.com/googleapis/python-aiplatform/issues/885
  test('a bucket in another region is refused with both places', () => {
    const text =
      'The Cloud Storage bucket of `gs://model_metadata_prod` is in location `us`. It must be in the same regional location as the service location `us-central1`.';

    expect(faultOf('FAILED_PRECONDITION', text)).toMatchObject({
      code: 'invalid',
      message: `asking failed; correct what was refused: ${text}`,
    });
  });
});

describe('a quota that does not come back by itself ends the job', () => {
  test.each([
    // https://github.com/GoogleCloudPlatform/stable-diffusion-on-gcp/issues/12
    'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_l4_gpus',
    // https://github.com/google-deepmind/xmanager/issues/29
    'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_tpu_v2',
    // https://github.com/GoogleCloudPlatform/vertex-ai-samples/issues/264
    'The following quotas are exceeded: AutoMLImageClassificationDeployedModelNodes',
  ])('%s', (text) => {
    expect(faultOf('RESOURCE_EXHAUSTED', text)).toMatchObject({
      code: 'invalid',
      retry: 'never',
      message: expect.stringContaining('ask Google for a higher quota'),
    });
  });
});

describe('a rate comes back by itself', () => {
  test.each([
    // https://github.com/GoogleCloudPlatform/marketing-analytics-jumpstart/issues/163
    [
      "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service 'cloudresourcemanager.googleapis.com' for consumer 'project_number:764086051850'.",
      'RATE_LIMIT_EXCEEDED',
    ],
    // https://github.com/GoogleCloudPlatform/python-docs-samples/issues/3482
    [
      "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute' of service 'cloudkms.googleapis.com' for consumer 'project_number:1012616486416'.",
      '',
    ],
    // https://github.com/googleapis/google-cloud-java/issues/2576
    [
      "Insufficient tokens for quota 'DefaultGroup' and limit 'USER-100s' of service 'monitoring.googleapis.com' for consumer 'project_number:764086051850'.",
      '',
    ],
    // https://github.com/cocoindex-io/cocoindex/issues/1151
    [
      'Quota exceeded for aiplatform.googleapis.com/embed_content_input_tokens_per_minute_per_base_model with base model: gemini-embedding. Please submit a quota increase request.',
      '',
    ],
    // https://github.com/trinodb/trino/issues/19943
    [
      'The object trino-ci-test/extended_stats.json exceeded the rate limit for object mutation operations (create, update, and delete). Please reduce your request rate. See https://cloud.google.com/storage/docs/gcs429.',
      'rateLimitExceeded',
    ],
    ["Quota exceeded for quota metric 'Requests' and limit 'A limit of a new kind'.", 'RATE_LIMIT_EXCEEDED'],
  ])('%.80s', (text, reason) => {
    expect(faultOf('RESOURCE_EXHAUSTED', text, reason)).toMatchObject({ code: 'throttled', retry: 'later' });
  });

  test('and a permission that is missing does not, where Cloud Storage answers it with 403', () => {
    const error = new GoogleError('Forbidden', { status: 403, reason: 'forbidden' });

    expect(gcpFault(error, 'asking')).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('serin plan'),
    });
  });

  test('also where Cloud Storage answers it with 403', () => {
    const error = new GoogleError('Rate Limit Exceeded', { status: 403, reason: 'userRateLimitExceeded' });

    expect(gcpFault(error, 'asking').code).toBe('throttled');
  });
});

describe('capacity comes back by itself, and another type or region may have it', () => {
  test.each([
    // https://github.com/openreview/openreview-expertise/issues/401
    ['RESOURCE_EXHAUSTED', 'Resources are insufficient in region: us-central1. Please try a different region.'],
    // https://github.com/GoogleCloudPlatform/PerfKitBenchmarker, of Vertex AI's deployments
    ['UNAVAILABLE', 'Machine type temporarily unavailable, please deploy with a different machine type or retry.'],
    // https://github.com/GoogleCloudPlatform/DataflowTemplates/issues/2263
    [
      'RESOURCE_EXHAUSTED',
      "[ZONE_RESOURCE_POOL_EXHAUSTED] 'The zone 'projects/p/zones/us-central1-f' does not have enough resources available to fulfill the request.  Try a different zone, or try again later.'",
    ],
    // https://github.com/kubernetes/k8s.io/issues/9834
    ['INTERNAL', "'NULL:0/NULL:0/NULL:0 (state:STOCKOUT, sub-state:STOCKOUT)'"],
    // https://github.com/googleapis/google-cloud-java/issues/11195
    [
      'RESOURCE_EXHAUSTED',
      'Unable to submit request because the service is temporarily out of capacity. Try again later.',
    ],
  ])('%s: %.60s', (rpc, text) => {
    expect(faultOf(rpc, text)).toMatchObject({
      code: 'throttled',
      retry: 'later',
      message: expect.stringContaining('wait until Google has such a machine free'),
    });
  });
});

test.each([
  ['ABORTED', 'conflict'],
  ['ALREADY_EXISTS', 'conflict'],
  ['INTERNAL', 'unavailable'],
  ['INVALID_ARGUMENT', 'invalid'],
  ['NOT_FOUND', 'notFound'],
  ['RESOURCE_EXHAUSTED', 'throttled'],
  ['UNAUTHENTICATED', 'unavailable'],
  ['UNAVAILABLE', 'unavailable'],
])('%s is %s', (rpc, code) => {
  expect(faultOf(rpc, 'no more is said').code).toBe(code);
});

// https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes
test('a bucket that is not there is not found, and says which', () => {
  const error = new GoogleError('The specified bucket does not exist.', { status: 404, reason: 'notFound' });

  expect(gcpFault(error, 'reading gs://drops/a.csv')).toMatchObject({
    code: 'notFound',
    message: expect.stringMatching(/^reading gs:\/\/drops\/a\.csv failed; look whether somebody deleted it/),
  });
  expect(saysMissing(error)).toBe(true);
});

test('a token and a time that ran out come by later, also where Cloud Storage names no code', () => {
  const expired = new GoogleError('Invalid Credentials', { status: 401, reason: 'authError' });
  const late = new GoogleError('Request timed out.', { status: 408, reason: 'uploadBrokenConnection' });

  for (const error of [expired, late])
    expect(gcpFault(error, 'asking')).toMatchObject({ code: 'unavailable', retry: 'later' });
});

test('what exists already says so by its name, or by 409 where there is none', () => {
  expect(saysExists(refused('ALREADY_EXISTS', 'there'))).toBe(true);
  expect(saysExists(refused('ABORTED', 'contention'))).toBe(false);
  expect(saysExists(new GoogleError('conflict', { status: 409 }))).toBe(true);
});

test('no answer, and a status between us and Google, come by later', () => {
  expect(gcpFault(new GoogleError('no answer from storage.googleapis.com: ECONNRESET', {}), 'asking').code).toBe(
    'unavailable',
  );
  expect(gcpFault(new GoogleError('HTTP 302', { status: 302 }), 'asking').code).toBe('unavailable');
  expect(gcpFault(new GoogleError('HTTP 502 <html>', { status: 502 }), 'asking').code).toBe('unavailable');
});

test('a fault stays as it is, and what is not from Google is a defect', () => {
  const fault = new Fault('unavailable', 'no access token; wait, it is tried again');

  expect(gcpFault(fault, 'asking')).toBe(fault);
  expect(gcpFault(new TypeError('x is not a function'), 'asking').code).toBe('defect');
});

test('a name that holds a word of ours changes nothing of what an error means', () => {
  const text = "Endpoint 'projects/p/locations/l/endpoints/stockroom-quota-rate-limit' not found.";

  expect(faultOf('NOT_FOUND', text).code).toBe('notFound');
});

test('calls throw nothing but faults, and what is not there is undefined where that is asked', async () => {
  const missing = () => Promise.reject(refused('NOT_FOUND', 'gone'));

  await expect(guarded('asking', missing)).rejects.toMatchObject({ name: 'Fault', code: 'notFound' });
  expect(await ifThere('asking', missing)).toBeUndefined();
  await expect(ifThere('asking', () => Promise.reject(refused('ABORTED', 'busy')))).rejects.toBeInstanceOf(Fault);
});
