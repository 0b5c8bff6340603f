import { existsSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Client } from '../client.ts';
import { findConfig, type LoadedConfig } from '../config-file.ts';
import { asFailure } from '../failure.ts';
import { type Command, clientOf, type Invocation, show, textOption } from '../invocation.ts';
import { prepareRelease } from '../release.ts';
import { retiredSdk } from '../retired-sdk.ts';
import { version } from '../version.ts';

interface Check {
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

/** Looks at what the other commands stand on, and says what to do; exit code 1 when something failed. */
export const doctor: Command = async (invocation) => {
  const { terminal } = invocation;
  const checks = [
    node(),
    ...(await configChecks(invocation)),
    await dataChecks(invocation),
    ...(await serverChecks(invocation)),
    ...(invocation.options.deep === true ? await digestChecks(invocation) : []),
  ];
  const colours = { ok: 'green', warning: 'yellow', failed: 'red' } as const;
  show(invocation, { ok: checks.every(({ verdict }) => verdict !== 'failed'), checks }, () =>
    checks
      .map(
        ({ check, verdict, detail }) => `${terminal.paint(colours[verdict], verdict.padEnd(7))}  ${check}: ${detail}\n`,
      )
      .join(''),
  );
  return checks.some(({ verdict }) => verdict === 'failed') ? 1 : 0;
};

const node = (): Check => ({ check: 'node', verdict: 'ok', detail: `${process.version} (serin ${version()})` });

async function configChecks(invocation: Invocation): Promise<Check[]> {
  try {
    const { config, compiled, folders } = await prepareRelease(
      findConfig(invocation.cwd, textOption(invocation, 'config')),
    );
    const found: Check = {
      check: 'config',
      verdict: 'ok',
      detail: `${config.file}: ${Object.keys(compiled.models).join(', ')}`,
    };
    const retired = await retiredSdk(folders);
    const code = retired.map((detail): Check => ({ check: 'code', verdict: 'warning', detail }));
    return [found, ...code, ...(await programs(config, invocation))];
  } catch (error) {
    const { exit, message, why, details } = asFailure(error);
    return [
      {
        check: 'config',
        verdict: exit === 3 ? 'warning' : 'failed',
        detail: [message, why, ...details].filter(Boolean).join('; '),
      },
    ];
  }
}

/** Programs that the config's commands begin with; an image brings its own on a cloud, so a missing one is a warning. */
async function programs({ parsed }: LoadedConfig, { env }: Invocation): Promise<Check[]> {
  const named = Object.values(parsed.models).flatMap(({ train, evaluate, serve }) =>
    [train, evaluate, serve === 'none' ? undefined : serve].map((program) => program?.command[0]),
  );
  const checks = [...new Set(named)]
    .filter((name) => name !== undefined && !name.includes('/'))
    .map(async (name = ''): Promise<Check> => {
      const found = await onPath(name, env.PATH ?? '');
      return {
        check: `program ${name}`,
        verdict: found === undefined ? 'warning' : 'ok',
        detail: found ?? 'not on the PATH: jobs on this machine cannot start it',
      };
    });
  return Promise.all(checks);
}

async function onPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name);
    const usable = await access(file, constants.X_OK)
      .then(() => stat(file))
      .then(
        (found) => found.isFile(),
        () => false,
      );
    if (usable) return file;
  }
  return undefined;
}

async function dataChecks({ cwd }: Invocation): Promise<Check> {
  const directory = existsSync(join(cwd, '.serin')) ? join(cwd, '.serin') : cwd;
  const writable = await access(directory, constants.W_OK).then(
    () => true,
    () => false,
  );
  return {
    check: 'data directory',
    verdict: writable ? 'ok' : 'failed',
    detail: writable ? join(cwd, '.serin') : `${directory} cannot be written to`,
  };
}

async function serverChecks(invocation: Invocation): Promise<Check[]> {
  try {
    const client = await clientOf(invocation);
    const { version: running } = await client.get('/version');
    const same = running === version();
    const reached: Check = {
      check: 'server',
      verdict: same ? 'ok' : 'warning',
      detail: `${client.server.url} (from ${client.server.from}), version ${running}${same ? '' : `; this command is ${version()}`}`,
    };
    return [reached, ...(await statusChecks(client))];
  } catch (error) {
    const { message, mend } = asFailure(error);
    return [{ check: 'server', verdict: 'warning', detail: [message, mend].filter(Boolean).join('; ') }];
  }
}

async function statusChecks(client: Awaited<ReturnType<typeof clientOf>>): Promise<readonly Check[]> {
  try {
    const { project, revision, clock } = await client.get('/v1/status');
    const token: Check = {
      check: 'token',
      verdict: 'ok',
      detail:
        project === undefined
          ? 'accepted; nothing is released yet'
          : `accepted; ${JSON.stringify(project)}, revision ${revision}`,
    };
    return typeof clock === 'string' ? [token, { check: 'clock', verdict: 'warning', detail: clock }] : [token];
  } catch (error) {
    const { message, mend } = asFailure(error);
    return [{ check: 'token', verdict: 'failed', detail: [message, mend].filter(Boolean).join('; ') }];
  }
}

/** Everything that is stored under a digest, read whole by the server. */
async function digestChecks(invocation: Invocation): Promise<Check[]> {
  try {
    const client = await clientOf(invocation);
    return [await digestsOf(client, 'objects'), await digestsOf(client, 'artifacts')].flat();
  } catch (error) {
    const { message, mend } = asFailure(error);
    return [{ check: 'digests', verdict: 'failed', detail: [message, mend].filter(Boolean).join('; ') }];
  }
}

async function digestsOf(client: Client, of: 'objects' | 'artifacts'): Promise<Check[]> {
  const failed: Check[] = [];
  let [checked, unchecked, bytes] = [0, 0, 0];
  let cursor: string | undefined;
  do {
    const page = await client.get('/v1/audit/digests', { of, cursor });
    [checked, unchecked, bytes] = [
      checked + Number(page.checked),
      unchecked + Number(page.unchecked),
      bytes + Number(page.bytes),
    ];
    for (const { name, problem } of page.problems as readonly { readonly name: string; readonly problem: string }[])
      failed.push({ check: `digest of ${name}`, verdict: 'failed', detail: problem });
    cursor = typeof page.next === 'string' ? page.next : undefined;
  } while (cursor !== undefined);
  if (failed.length > 0) return failed;
  const left = unchecked === 0 ? '' : `; ${unchecked} are kept where this server cannot read them`;
  return [{ check: `digests of ${of}`, verdict: 'ok', detail: `${checked} read whole (${megabytes(bytes)})${left}` }];
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
