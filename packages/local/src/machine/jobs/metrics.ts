import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createContext, Script } from 'node:vm';
import { Fault } from '@serin/core/base/fault';
import {
  type Measured,
  maxMetricsBytes,
  measured,
  measuredBy,
  metricsIn,
  nothingMeasured,
  tooLarge,
} from '@serin/core/job-contract/metrics';
import type { Job } from '@serin/core/ports/jobs';
import { openPlain } from '../plain-file.ts';

const logBlockBytes = 256 * 1024;
const maxLineCharacters = 64 * 1024;
const regexMs = 250;
const regexAttempts = 3;

/** `metrics.json` first; what it does not name is looked for in the log. */
export async function metricsOf(job: Job, outputData: string, log: string): Promise<Measured> {
  const inFile = await metricsInFile(join(outputData, 'metrics.json'));
  const rest = job.metrics.filter(({ name }) => !Object.hasOwn(inFile.metrics, name));
  return measuredBy(inFile, await metricsInLog(log, rest));
}

async function metricsInFile(file: string): Promise<Measured> {
  await using handle = await openPlain(file);
  if (handle === undefined) {
    const there = await lstat(file).catch(() => undefined);
    if (there === undefined) return nothingMeasured;
    throw new Fault(
      'invalid',
      'metrics.json is not a regular file (links, pipes and devices are not read); write a file',
    );
  }
  if ((await handle.stat()).size > maxMetricsBytes) return tooLarge('metrics.json');
  return metricsIn('metrics.json', await handle.readFile('utf8'));
}

/** The last match of each regex in the log, block by block of whole lines; the text of its first group. */
async function metricsInLog(file: string, metrics: Job['metrics']): Promise<Measured> {
  const found = new Map<string, string>();
  const given = new Map<string, string>();
  await using log = metrics.length === 0 ? undefined : await openPlain(file);
  if (log === undefined) return nothingMeasured;
  const search = searcher();
  const look = async (text: string) => {
    for (const { name, regex } of metrics) {
      if (given.has(name)) continue;
      const last = await search(regex, text);
      if (last === 'tooSlow') given.set(name, tooSlow);
      else if (last !== undefined) found.set(name, last.text);
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
  const whole = [...found].filter(([name]) => !given.has(name));
  return measuredBy({ metrics: {}, unread: Object.fromEntries(given) }, measured(whole, 'the log'));
}

/** A regex that cannot be used costs its own metric, and no trained model. `start` has refused those that do not compile. */
const tooSlow = 'its regex takes too long on the log; make it simpler';

/** In a script of its own, because only that can be cut off: a regex that backtracks must not hold the server. */
function searcher(): (regex: string, text: string) => Promise<{ readonly text: string } | 'tooSlow' | undefined> {
  const context: { pattern?: RegExp; text?: string } = createContext({});
  const script = new Script(
    '(() => { let last; for (const match of text.matchAll(pattern)) last = match; return last && (last[1] ?? last[0]); })()',
  );
  return async (regex, text) => {
    context.pattern = new RegExp(regex, 'gm');
    context.text = text;
    // The limit is wall time: a machine that slept or swapped meanwhile must not cost a trained model.
    for (let attempt = 1; ; attempt += 1) {
      try {
        const last = script.runInContext(context, { timeout: regexMs }) as string | undefined; // what the script returns
        return last === undefined ? undefined : { text: last };
      } catch {
        if (attempt === regexAttempts) return 'tooSlow';
        await setImmediate();
      }
    }
  };
}
