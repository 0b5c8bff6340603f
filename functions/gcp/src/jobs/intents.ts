import { Fault } from '@serin/core/base/fault';
import { unknownMs } from '@serin/platform/jobs/start-once';
import { type Google, GoogleError } from '../calls/google.ts';
import { saysMissing } from '../faults.ts';

interface Place {
  readonly google: Google;
  readonly bucket: string;
  readonly key: string;
}

/**
 * Notes that a job will be asked for, as an object of the own bucket; answers how to take it back. `undefined`: somebody
 * has noted it less than `unknownMs` ago. Both times are those of Cloud Storage, so no clock of a process counts, and of
 * several at once only one notes it.
 */
export async function noteIntent(place: Place): Promise<(() => Promise<void>) | undefined> {
  const { google, bucket, key } = place;
  const noted = await read(place);
  if (noted !== undefined && !(noted.ageMs >= unknownMs)) return undefined;
  try {
    const { generation } = await google.json<Meta>({
      service: 'storage',
      method: 'POST',
      path: `upload/storage/v1/b/${bucket}/o`,
      query: { uploadType: 'media', name: key, ifGenerationMatch: noted?.generation ?? '0' },
      bytes: { content: new Uint8Array(), type: 'text/plain' },
    });
    return () => takeBack(place, generation);
  } catch (error) {
    if (hasMovedOn(error)) return undefined;
    if (saysMissing(error)) throw noBucket(bucket, error);
    throw error;
  }
}

interface Meta {
  readonly generation: string;
  readonly timeCreated: string;
}

const pathOf = ({ bucket, key }: Place): string => `storage/v1/b/${bucket}/o/${encodeURIComponent(key)}`;

async function read(place: Place): Promise<{ readonly generation: string; readonly ageMs: number } | undefined> {
  try {
    const { headers, content } = await place.google.bytes({ service: 'storage', method: 'GET', path: pathOf(place) });
    const { generation, timeCreated } = JSON.parse(new TextDecoder().decode(content)) as Meta;
    return { generation, ageMs: Date.parse(headers.get('date') ?? '') - Date.parse(timeCreated) };
  } catch (error) {
    if (saysMissing(error)) return undefined;
    throw error;
  }
}

async function takeBack(place: Place, generation: string): Promise<void> {
  const query = { ifGenerationMatch: generation };
  try {
    await place.google.bytes({ service: 'storage', method: 'DELETE', path: pathOf(place), query, repeatable: true });
  } catch (error) {
    if (!saysMissing(error) && !hasMovedOn(error)) throw error;
  }
}

const hasMovedOn = (error: unknown): boolean => error instanceof GoogleError && error.status === 412;

const noBucket = (bucket: string, cause: unknown): Fault =>
  new Fault(
    'invalid',
    `the bucket ${bucket} of this installation does not exist any more; make it again with \`serin deploy\``,
    {
      cause,
    },
  );
