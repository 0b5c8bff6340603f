import { type Measured, maxMetricsBytes, metricsIn, nothingMeasured, tooLarge } from '@serin/core/job-contract/metrics';
import { filesInArchive } from '../code/tar.ts';
import type { Objects } from './artifacts.ts';

/** In order: flat names and numbers, then the form of evaluation reports; each file may have either form. */
export const metricsFiles = ['metrics.json', 'evaluation.json'] as const;

/** The metrics file under a prefix that ends with a slash, or at the beginning of a packed output. */
export async function metricsAt(uri: string, { buckets, placeOf }: Objects): Promise<Measured> {
  const place = placeOf(uri);
  if (place === undefined) return nothingMeasured;
  const read = (key: string) => buckets(place.bucket).read({ key, maxBytes: maxMetricsBytes });
  if (!place.key.endsWith('/')) {
    const archive = await read(place.key);
    if (archive === undefined) return nothingMeasured;
    const found = filesInArchive(archive.content, metricsFiles, 64 * maxMetricsBytes);
    const file = metricsFiles.find((name) => found.has(name));
    return file === undefined ? nothingMeasured : metricsIn(file, found.get(file) ?? '');
  }
  for (const file of metricsFiles) {
    const object = await read(place.key + file);
    if (object?.truncated) return tooLarge(file);
    if (object !== undefined) return metricsIn(file, new TextDecoder().decode(object.content));
  }
  return nothingMeasured;
}
