import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/**
 * Real samples, of the clouds' own libraries and documentation, that are not kept here: `SERIN_EVENT_SAMPLES` is their
 * folder, whose SOURCES.tsv says of each what it must become.
 */
export function samplesOf(cloud: string) {
  const folder = process.env.SERIN_EVENT_SAMPLES;
  if (folder === undefined || !existsSync(join(folder, 'SOURCES.tsv'))) {
    const missing = 'set SERIN_EVENT_SAMPLES to the folder of real samples';
    process.stderr.write(`skipped: real samples of ${cloud}: ${missing}\n`);
    return { missing, samples: [{ file: `${cloud}/`, becomes: '[]', text: '{}' }] };
  }
  const samples = readFileSync(join(folder, 'SOURCES.tsv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([file = '']) => file.startsWith(`${cloud}/`))
    .map(([file = '', , , , , becomes = '']) => ({ file, becomes, text: readFileSync(join(folder, file), 'utf8') }));
  return { missing: undefined, samples };
}
