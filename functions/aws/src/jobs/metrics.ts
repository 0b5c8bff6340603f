import { constants, gunzipSync } from 'node:zlib';
import { asFault, Fault } from '@serin/core/base/fault';
import { maxMetricsBytes } from '@serin/core/job-contract/metrics';

/** In order: flat names and numbers, then the form of SageMaker's own evaluations; each file may have either form. */
export const metricsFiles = ['metrics.json', 'evaluation.json'] as const;

/**
 * The files of those names at the top of a `tar.gz` of which only the beginning may be there. What lies behind it is
 * not found: an `output/data` with large files has to be small in front of `metrics.json`, or leave it to the log.
 */
export function filesInArchive(beginning: Uint8Array, names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const tar = unpacked(beginning);
  for (let at = 0; at + 512 <= tar.length; ) {
    const path = pathAt(tar, at);
    const name = path.replace(/^\.\//, '');
    const size = Number.parseInt(fieldOf(tar, at + 124, 12), 8);
    if (path === '' || !Number.isFinite(size)) break;
    const end = at + 512 + size;
    if (names.includes(name) && end <= tar.length) found.set(name, tar.toString('utf8', at + 512, end));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

function unpacked(beginning: Uint8Array): Buffer {
  try {
    // A stream that was cut is unpacked as far as it goes; more than this is no metrics file.
    return gunzipSync(beginning, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 * maxMetricsBytes });
  } catch (error) {
    throw new Fault('invalid', `the output of the job is no tar.gz: ${asFault(error).message}`, { cause: error });
  }
}

/** A path of more than 100 bytes stands in two fields of a ustar header: the folders first. */
function pathAt(tar: Buffer, at: number): string {
  const name = fieldOf(tar, at, 100);
  // GNU's own format has other things where ustar has the folders.
  const folders = tar.toString('latin1', at + 257, at + 263) === 'ustar\0' ? fieldOf(tar, at + 345, 155) : '';
  return folders === '' ? name : `${folders}/${name}`;
}

const fieldOf = (tar: Buffer, at: number, length: number): string =>
  tar
    .toString('utf8', at, at + length)
    .split('\0', 1)[0]
    ?.trim() ?? '';
