import { rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { asFault } from '@serin/core/base/fault';
import { createClient } from '../client.ts';
import { findConfig } from '../config-file.ts';
import { writePrivate } from '../contexts.ts';
import { Failure } from '../failure.ts';
import { type Command, type Invocation, numberOption, textOption } from '../invocation.ts';
import { runnerFile } from '../places.ts';
import { pythonPrograms } from '../python-environment.ts';
import { prepareRelease, uploadCode } from '../release.ts';
import { defaultPort, type Server, sendsInTheClear } from '../server.ts';
import { version } from '../version.ts';
import { dataDirectory } from './backup.ts';

/**
 * Runs the one-machine server for good: no prompts, one JSON object a line on standard output, no token anywhere in it,
 * and predictions want a token. It serves what was released last; with `--config` it releases that first, once.
 */
export const serve: Command = async (invocation) => {
  const directory = dataDirectory(invocation);
  const host = textOption(invocation, 'host') ?? '127.0.0.1';
  const predictTokens = invocation.options.openPredictions !== true;
  const log = logOf(invocation);
  const { startServer } = await import('@serin/local/compose');
  const server = await startServer({
    directory,
    host,
    port: numberOption(invocation, 'port') ?? defaultPort,
    version: version(),
    log: (line) => log('warning', line),
    predictTokens,
    ...(runnerFile === undefined ? {} : { runner: runnerFile }),
    ...pythonPrograms(
      dirname(resolve(invocation.cwd, textOption(invocation, 'config') ?? 'serin.config')),
      invocation.env,
    ),
  }).catch((error: unknown) => {
    throw new Failure(1, `the server cannot start: ${asFault(error).message}`, {
      mend: 'correct this, then start it again',
      cause: error,
    });
  });
  const own = join(directory, 'server.json');
  try {
    await writePrivate(own, `${JSON.stringify({ url: server.url, token: server.token, pid: process.pid })}\n`);
    log('info', 'started', {
      url: server.url,
      version: version(),
      directory,
      adminToken: join(directory, 'admin.token'),
    });
    if (sendsInTheClear(server.url))
      log('warning', `it listens on ${host} without TLS; put a proxy with TLS in front of it`);
    await releaseConfig(invocation, { url: server.url, token: server.token, from: own }, log);
    await ended(invocation.signal);
    log('info', 'stopping; what is under way is finished first');
  } finally {
    await rm(own, { force: true }).catch((error: Error) => log('warning', `${own} stays: ${error.message}`));
    await server.close();
  }
  log('info', 'stopped');
  return 0;
};

type Log = (level: 'info' | 'warning', message: string, more?: object) => void;

const logOf =
  ({ terminal }: Invocation): Log =>
  (level, message, more = {}) =>
    terminal.out(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...more })}\n`);

async function releaseConfig(invocation: Invocation, server: Server, log: Log): Promise<void> {
  const named = textOption(invocation, 'config');
  if (named === undefined) return;
  const prepared = await prepareRelease(findConfig(invocation.cwd, named));
  const client = createClient(server, invocation.signal);
  await uploadCode(client, prepared.folders.values());
  await client.send({ method: 'POST', path: '/v1/releases', body: { config: prepared.compiled } });
  log('info', 'released', { digest: prepared.digest, models: Object.keys(prepared.compiled.models) });
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  );
