import { join, resolve } from 'node:path';
import type { Backup } from '@serin/local/backup/backup';
import { argument, type Command, type Invocation, show, textOption } from '../invocation.ts';
import { version } from '../version.ts';

/** Where `serin dev` and `serin serve` keep everything. */
export const dataDirectory = (invocation: Pick<Invocation, 'cwd' | 'options'>): string =>
  resolve(invocation.cwd, textOption(invocation, 'directory') ?? '.serin');

const sizeText = ({ files }: Backup): string => {
  const megabytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  return `${files.length} files, ${megabytes < 10 ? megabytes.toFixed(1) : Math.round(megabytes)} MB`;
};

const documentOf = ({ files, heads: _, ...rest }: Backup, more: object) => ({ ...rest, files: files.length, ...more });

/** Writes a backup of a data directory; a server may run there. */
export const backup: Command = async (invocation) => {
  const target = resolve(invocation.cwd, argument(invocation, 0));
  const directory = dataDirectory(invocation);
  const { backUp } = await import('@serin/local/backup/backup');
  const made = await backUp({ directory, target, version: version(), now: Date.now });
  show(invocation, documentOf(made, { directory, backup: target }), () =>
    [
      `${invocation.terminal.paint('green', 'written')}  ${target}: ${sizeText(made)}, ${made.entries} entries of ${made.streams} streams`,
      `root ${made.root}`,
      'it holds the tokens and secrets of the server: keep it where only you can read it',
      '',
    ].join('\n'),
  );
  return 0;
};

/** Lays a backup out as a data directory that is not there yet. */
export const restore: Command = async (invocation) => {
  const source = resolve(invocation.cwd, argument(invocation, 0));
  const directory = dataDirectory(invocation);
  const { restore: layOut } = await import('@serin/local/backup/backup');
  const found = await layOut({ source, directory });
  show(invocation, documentOf(found, { directory, backup: source }), () =>
    [
      `${invocation.terminal.paint('green', 'restored')}  ${directory}, as it was at ${found.at}: ${sizeText(found)}`,
      `root ${found.root}: every file and the whole history are as they were`,
      `next: stop the server that it came from, then start one here; two servers would both act`,
      '',
    ].join('\n'),
  );
  return 0;
};

/** Says whether this version can take the data directory over, in a copy of its history. */
export const upgrade: Command = async (invocation) => {
  const directory = dataDirectory(invocation);
  const { checkReadable } = await import('@serin/local/backup/readable');
  const { streams, older, problems } = await checkReadable(directory);
  const ok = problems.length === 0;
  const { paint } = invocation.terminal;
  show(invocation, { ok, version: version(), directory, streams, older, problems }, () =>
    [
      ok
        ? `${paint('green', 'ready')}  serin ${version()} can take over ${directory}: ${streams} streams read`
        : `${paint('red', 'not ready')}  serin ${version()} cannot take over ${directory}`,
      ...problems.map((problem) => `  ${problem}`),
      ...(ok && older > 0
        ? [`${older} states are of an older version and are rewritten as they change: an older serin cannot read those`]
        : []),
      ok
        ? `next: serin backup ${join('..', 'backup')}, stop the server, start it with this version`
        : 'keep the version that runs, and report these lines',
      '',
    ].join('\n'),
  );
  return ok ? 0 : 1;
};
