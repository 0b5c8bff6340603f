import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createContext, Script } from 'node:vm';
import { Fault } from '@serin/core/fault';
import { maxMetricsBytes, metricsIn } from '@serin/core/job-contract';
import type { Job } from '@serin/core/ports';
import { openPlain } from '../plain-file.ts';

const logBlockBytes = 256 * 1024;
const maxLineCharacters = 64 * 1024;
const regexMs = 250;
const regexAttempts = 3;

/** `metrics.json` first; what it does not name is looked for in the log. A number that is not finite is `invalid`. */
export async function metricsOf(job: Job, outputData: string, log: string): Promise<Record<string, number>> {
  const found = await metricsInFile(join(outputData, 'metrics.json'));
  const rest = job.metrics.filter(({ name }) => !found.has(name));
  for (const [name, text] of await metricsInLog(log, rest)) {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value))
      throw new Fault('invalid', `the metric ${name} is '${text}' in the log, which is no finite number`);
    found.set(name, value);
  }
  return Object.fromEntries(found);
}

async function metricsInFile(file: string): Promise<Map<string, number>> {
  await using handle = await openPlain(file);
  if (handle === undefined) {
    const there = await lstat(file).catch(() => undefined);
    if (there === undefined) return new Map();
    throw new Fault(
      'invalid',
      'metrics.json is not a regular file (links, pipes and devices are not read); write a file',
    );
  }
  if ((await handle.stat()).size > maxMetricsBytes)
    throw new Fault('invalid', `metrics.json is larger than ${maxMetricsBytes} bytes`);
  return new Map(Object.entries(metricsIn('metrics.json', await handle.readFile('utf8'))));
}

/** The last match of each regex in the log, block by block of whole lines; the text of its first group. */
async function metricsInLog(file: string, metrics: Job['metrics']): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  await using log = metrics.length === 0 ? undefined : await openPlain(file);
  if (log === undefined) return found;
  const search = searcher();
  const look = async (text: string) => {
    for (const { name, regex } of metrics) {
      const last = await search(name, regex, text);
      if (last !== undefined) found.set(name, last);
    }
  };
  let rest = '';
  for await (const block of log.createReadStream({
    encoding: 'utf8',
    highWaterMark: logBlockBytes,
    autoClose: false,
  })) {
    const text: string = rest + block;
    const cut = text.lastIndexOf('\n') + 1;
    await look(text.slice(0, cut));
    rest = text.slice(cut).slice(-maxLineCharacters);
  }
  await look(rest);
  return found;
}

/** In a script of its own, because only that can be cut off: a regex that backtracks must not hold the server. */
function searcher(): (name: string, regex: string, text: string) => Promise<string | undefined> {
  const context: { pattern?: RegExp; text?: string } = createContext({});
  const script = new Script(
    '(() => { let last; for (const match of text.matchAll(pattern)) last = match; return last && (last[1] ?? last[0]); })()',
  );
  return async (name, regex, text) => {
    context.pattern = new RegExp(regex, 'gm');
    context.text = text;
    // The limit is wall time: a machine that slept or swapped meanwhile must not cost a trained model.
    for (let attempt = 1; ; attempt += 1) {
      try {
        return script.runInContext(context, { timeout: regexMs }) as string | undefined; // what the script returns
      } catch (error) {
        if (attempt === regexAttempts) {
          const what = `the regex of the metric ${name} takes too long on the log; make it simpler`;
          throw new Fault('invalid', what, { cause: error });
        }
        await setImmediate();
      }
    }
  };
}
