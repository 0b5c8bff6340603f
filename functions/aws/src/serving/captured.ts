import type { DataCaptureConfig } from '@aws-sdk/client-sagemaker';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Capture } from '@serin/core/ports/captured';
import { type FilePart, type Found, foundRequest, lineIn, linesFrom, type Offsets } from '@serin/platform/captured';

/** The folder of the own bucket that SageMaker writes copies of requests to, and nobody else. */
const folder = 'captured';

/** What SageMaker keeps of the requests of an endpoint. It takes whole percents; other content types come as base64. */
export const dataCaptureOf = (
  { percent }: Capture,
  { ownBucket, kmsKey }: { readonly ownBucket: string; readonly kmsKey?: string },
): DataCaptureConfig => ({
  EnableCapture: true,
  InitialSamplingPercentage: percent,
  DestinationS3Uri: `s3://${ownBucket}/${folder}`,
  ...(kmsKey === undefined ? {} : { KmsKeyId: kmsKey }),
  CaptureOptions: [{ CaptureMode: 'Input' }, { CaptureMode: 'Output' }],
  CaptureContentTypeHeader: { CsvContentTypes: ['text/csv'], JsonContentTypes: ['application/json'] },
});

/** Before the hour in the keys of what was captured: `captured/<endpoint>/<variant>/yyyy/mm/dd/hh/<file>.jsonl`. */
export const capturedFolder = (endpoint: string, variant: string): string => `${folder}/${endpoint}/${variant}/`;

/** https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html */
interface Line {
  readonly captureData?: { readonly endpointInput?: Side; readonly endpointOutput?: Side };
  readonly eventMetadata?: {
    readonly eventId?: string;
    /** What the caller gave. */
    readonly inferenceId?: string;
    readonly inferenceTime?: string;
  };
}
interface Side {
  readonly observedContentType?: string;
  readonly data?: string;
  readonly encoding?: string;
}

/** A part of a file of captured requests; the variant is in its key. */
export async function readCaptured(
  bucket: Bucket,
  fields: readonly string[],
  key: string,
  [from = 0]: Offsets,
  most: number,
): Promise<FilePart> {
  const { lines, bytes, tooLong, next } = await linesFrom(bucket, key, from, most);
  const deployment = key.split('/')[2] ?? '';
  const found = lines.map(({ text }) => requestOf(text, deployment, fields));
  return { found: tooLong ? [...found, tooLongLine] : found, bytes, ...(next === undefined ? {} : { next: [next] }) };
}

const tooLongLine: Found = { unread: 'a request with its answer has more than 4 MB' };
const otherForm: Found = { unread: 'a line of a capture file is not what SageMaker writes' };

function requestOf(text: string, deployment: string, fields: readonly string[]): Found {
  const line = lineIn<Line>(text);
  const { endpointInput: asked, endpointOutput: answered } = line?.captureData ?? {};
  const { eventId, inferenceId = eventId, inferenceTime = '' } = line?.eventMetadata ?? {};
  const at = Date.parse(inferenceTime);
  if (asked?.data === undefined || Number.isNaN(at)) return otherForm;
  return foundRequest(fields, {
    ...{ at, deployment, asked: payloadOf(asked) },
    ...(inferenceId === undefined ? {} : { requestId: inferenceId }),
    ...(answered === undefined ? {} : { answered: payloadOf(answered) }),
  });
}

const payloadOf = ({ data = '', encoding, observedContentType }: Side) => ({
  body: encoding === 'BASE64' ? Buffer.from(data, 'base64') : data,
  contentType: observedContentType,
});
