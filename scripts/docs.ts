// Renews what the pages of docs/ have from the code: `node scripts/docs.ts`. `--check` only says which are out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { contractTable } from './contract-table.ts';
import { checkBlock } from './docs/checks.ts';
import { commandBlocks } from './docs/commands.ts';
import { fieldBlock } from './docs/fields.ts';
import { pictureOf, sentenceBlock, stories } from './docs/pictures.ts';
import { routeBlock } from './docs/routes.ts';
import { stateTables } from './docs/states.ts';
import { variableBlock } from './docs/variables.ts';

/** Each block of a page that is made here: the page, the name of the block, and its content. */
const blocks: readonly {
  readonly page: string;
  readonly name: string;
  readonly content: () => string | Promise<string>;
}[] = [
  { page: 'docs/machines.md', name: 'states', content: stateTables },
  { page: 'docs/fidelity.md', name: 'contracts', content: contractTable },
  { page: 'docs/config.md', name: 'fields', content: fieldBlock },
  { page: 'docs/data.md', name: 'checks', content: checkBlock },
  { page: 'docs/cli.md', name: 'commands', content: commandBlocks },
  { page: 'docs/http.md', name: 'routes', content: routeBlock },
  { page: 'docs/rollout.md', name: 'sentence', content: sentenceBlock },
  { page: 'docs/one-machine.md', name: 'variables', content: variableBlock },
];

const root = join(import.meta.dirname, '..');
const maker = 'scripts/docs.ts';

/** Every page that has a generated block, and every picture that is drawn here, as it is and as it ought to be. */
export async function renewedPages(): Promise<
  readonly { readonly page: string; readonly before: string; readonly after: string }[]
> {
  const pages = new Map<string, { readonly before: string; readonly after: string }>();
  for (const { page, name, content } of blocks) {
    const before = pages.get(page)?.before ?? readFileSync(join(root, page), 'utf8');
    const text = pages.get(page)?.after ?? before;
    pages.set(page, { before, after: replaceBlock(text, name, maker, await content()) });
  }
  const pictures = Object.entries(stories).map(([name, story]) => {
    const page = `docs/images/${name}.svg`;
    const file = join(root, page);
    return { page, before: existsSync(file) ? readFileSync(file, 'utf8') : '', after: pictureOf(story) };
  });
  return [...[...pages].map(([page, texts]) => ({ page, ...texts })), ...pictures];
}

/** The text with another content between the two marks of a block. */
export function replaceBlock(text: string, name: string, by: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: made by ${by} -->`, `<!-- ${name} end -->`];
  const [head = '', rest] = text.split(begin);
  const [, tail] = rest?.split(end) ?? [];
  if (tail === undefined) throw new Error(`the page has no block '${begin}' that ends with '${end}': write it in`);
  return `${head}${begin}\n\n${content}\n\n${end}${tail}`;
}

if (process.argv[1] === import.meta.filename)
  for (const { page, before, after } of await renewedPages()) {
    if (before === after) continue;
    if (process.argv.includes('--check')) {
      process.stderr.write(`${page} is out of date: node ${maker}\n`);
      process.exitCode = 1;
    } else writeFileSync(join(root, page), after);
  }
