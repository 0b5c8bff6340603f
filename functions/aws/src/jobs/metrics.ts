import { constants, gunzipSync } from 'node:zlib';
import { asFault, Fault } from '@serin/core/fault';

/** Of the metrics file, and of the beginning of a packed output in which it is looked for. */
export const maxMetricsBytes = 1024 * 1024;

/** In order: flat names and numbers, then the form of SageMaker's own evaluations; each file may have either form. */
export const metricsFiles = ['metrics.json', 'evaluation.json'] as const;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isWord = (value: unknown): value is string => typeof value === 'string' && value.startsWith('\0');

/** Numbers by name; text is left out. A number that is not finite is `invalid`, by its name. */
export function metricsIn(file: string, text: string): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  const put = (name: string, value: unknown) => {
    if (typeof value === 'number' && Number.isFinite(value)) found[name] = value;
    // Infinity of 1e999, `null` of JSON.stringify(NaN), or one of Python's words
    else if (typeof value === 'number' || value === null || isWord(value)) throw notFinite(name, value, file);
  };
  for (const [name, value] of Object.entries(parsed(file, text))) {
    if (!isObject(value)) put(name, value);
    // SageMaker's evaluation.json: {"regression_metrics": {"mse": {"value": 4.9, "standard_deviation": 2.2}}}
    else
      for (const [metric, detail] of Object.entries(value))
        if (isObject(detail) && 'value' in detail) put(metric, detail.value);
  }
  return found;
}

export function notFinite(name: string, value: unknown, where: string): Fault {
  const said = isWord(value) ? value.slice(1) : String(value);
  return new Fault('invalid', `the metric ${name} is ${said} in ${where}, which is no finite number`);
}

/** JSON as Python writes it: NaN and Infinity are words there, marked here so that they can be named. */
function parsed(file: string, text: string): object {
  const words = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
  const marked = text.replace(words, (part) => (part.startsWith('"') ? part : `"\\u0000${part}"`));
  try {
    const value: unknown = JSON.parse(marked);
    if (isObject(value) && !Array.isArray(value)) return value;
  } catch (error) {
    throw new Fault('invalid', `${file} is not JSON: ${asFault(error).message}`, { cause: error });
  }
  throw new Fault('invalid', `${file} is not an object of names and numbers`);
}

/**
 * The files of those names at the top of a `tar.gz` of which only the beginning may be there. What lies behind it is
 * not found: an `output/data` with large files has to be small in front of `metrics.json`, or leave it to the log.
 */
export function filesInArchive(beginning: Uint8Array, names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const tar = unpacked(beginning);
  for (let at = 0; at + 512 <= tar.length; ) {
    const path = fieldOf(tar, at, 100);
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

const fieldOf = (tar: Buffer, at: number, length: number): string =>
  tar
    .toString('utf8', at, at + length)
    .split('\0', 1)[0]
    ?.trim() ?? '';
