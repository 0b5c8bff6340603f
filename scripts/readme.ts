import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { machines } from '../packages/core/src/model/machines.ts';
import { projectTable } from '../packages/core/src/project/project.ts';
import { contractTable } from './contract-table.ts';

const tables: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  ...Object.fromEntries(Object.entries(machines).map(([name, { table }]) => [name, table])),
  project: projectTable,
};
const readme = join(import.meta.dirname, '..', 'README.md');

/** Which signals move each state and which it ignores; all others are refused to their sender. */
export function stateTables(): string {
  return Object.entries(tables)
    .map(([name, table]) => {
      const rows = Object.entries(table).map(([status, row]) => {
        const signals = (wanted: boolean) =>
          Object.entries(row)
            .filter(([, cell]) => (wanted ? typeof cell === 'function' : cell === 'ignore'))
            .map(([signal]) => signal)
            .sort()
            .join(', ');
        return `| \`${status}\` | ${signals(true)} | ${signals(false)} |`;
      });
      return [
        `**${name}**`,
        '',
        '| state | signals it acts on | late or repeated: ignored |',
        '|---|---|---|',
        ...rows,
      ].join('\n');
    })
    .join('\n\n');
}

/** The README with its tables as the code has them now. */
export function readmeWithTables(text: string): string {
  const withContracts = replaceBlock(text, 'contracts', 'scripts/readme.ts', contractTable());
  return replaceBlock(withContracts, 'states', 'scripts/readme.ts', stateTables());
}

/** The text with another content between the two marks of a block. */
export function replaceBlock(text: string, name: string, maker: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: made by ${maker} -->`, `<!-- ${name} end -->`];
  const [head = '', rest] = text.split(begin);
  const [, tail] = rest?.split(end) ?? [];
  if (tail === undefined) throw new Error(`README.md has no block '${begin}' that ends with '${end}': write it in`);
  return `${head}${begin}\n\n${content}\n\n${end}${tail}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(readme, readmeWithTables(readFileSync(readme, 'utf8')));
}
