import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { CompiledConfig } from '@serin/core/config/config';
import { hanging } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { padTo, widthOf } from '../width.ts';

type Reader = Pick<Terminal, 'width' | 'paint'>;

export interface Opening {
  readonly url: string;
  readonly token: string;
  readonly tokenIsNew: boolean;
  readonly dataDirectory: string;
  readonly config: string;
}

interface Around {
  readonly cwd: string;
  readonly version: string;
  readonly terminal: Reader;
}

/** What `serin dev` says when it begins. The link signs in, so it is only for whoever sits at the terminal. */
export function devBanner({ url, token, tokenIsNew, dataDirectory, config }: Opening, around: Around): string {
  const { cwd, terminal, version } = around;
  const rows = [
    ['page', terminal.width === undefined ? `${url}/` : `${url}/signin#${token}`],
    ['url', url],
    ['data', `${dataDirectory} (kept there: stop and start as you like)`],
    ['config', config],
    ...(tokenIsNew ? [['token', `${token} (shown once; commands in this folder have it)`]] : []),
    [
      'next',
      `in another terminal: serin status --watch${existsSync(join(cwd, 'sample')) ? '; README.md has first steps' : ''}`,
    ],
  ];
  return `${terminal.paint('bold', `serin ${version}`)}\n${rowsText(rows, '  ', terminal)}`;
}

/** Where each model takes data from, and where it answers. */
export function modelPlaces(
  { models }: CompiledConfig,
  { url, cwd, terminal }: { readonly url: string; readonly cwd: string; readonly terminal: Reader },
): readonly string[] {
  return Object.entries(models).map(([name, { data, serve }]) => {
    const folder = join(cwd, '.serin', 'buckets', data.bucket, folderOf(data.prefix));
    const rows = [
      ['drop', `serin drop ${name} <file>, or copy it into ${relative(cwd, folder)}/`],
      ...(serve === 'none' ? [] : [['ask', `curl -d '{...}' ${url}/endpoints/${name}/invocations`]]),
    ];
    return `  ${terminal.paint('bold', name)}\n${rowsText(rows, '    ', terminal)}`.trimEnd();
  });
}

function rowsText(rows: readonly (readonly string[])[], indent: string, terminal: Reader): string {
  const width = Math.max(...rows.map(([name = '']) => widthOf(name))) + indent.length;
  return rows
    .flatMap(([name = '', text = '']) => {
      const label = padTo(indent + name, width);
      const [first = '', ...more] = hanging(label, width, text, { width: terminal.width ?? 1e6 });
      return [terminal.paint('dim', label) + first.slice(label.length), ...more];
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** The folder that a prefix stands for, so that files can be copied into it at once. */
export function folderOf(prefix: string): string {
  const parts = prefix.split('/').slice(0, -1);
  return parts.every((part) => /^[\w-][\w.-]*$/.test(part)) ? parts.join('/') : '';
}
