import type { Document } from '../client.ts';
import { argument, type Command, clientOf, path, show } from '../invocation.ts';
import { type Columns, type Reader, table, textOf } from '../table.ts';
import { newestOf } from '../wait.ts';
import { paragraph } from '../width.ts';

/** What the validation of a dataset found: of a run, of the newest run of a model, or of a dataset version. */
export const report: Command = async (invocation) => {
  const client = await clientOf(invocation);
  const [named, digest] = [argument(invocation, 0), argument(invocation, 1)];
  const document = await client.get(
    digest === ''
      ? path`/v1/runs/${await newestOf(client, 'runs', named)}/report`
      : path`/v1/models/${named}/datasets/${digest}/report`,
  );
  show(invocation, document, () => reportText(document, invocation.terminal));
  return 0;
};

const columns: Columns = {
  ACTION: { path: 'action', as: 'state' },
  CHECK: 'check',
  COLUMN: 'column',
  VALUE: 'value',
  LIMIT: 'limit',
  BEFORE: { path: 'reference', drop: 1 },
  WHAT: { path: 'text', drop: 2 },
};

function reportText(document: Document, terminal: Reader): string {
  const { because, findings, more, refused } = document;
  const verdict = refused === true ? 'refused' : 'ok';
  const head = paragraph(`${verdict}: ${textOf('because', because)}`, terminal);
  const rows = Array.isArray(findings) ? findings : [];
  const rest = typeof more === 'number' && more > 0 ? `and ${more} more\n` : '';
  const lines = head.map((line) => `${terminal.paint(refused === true ? 'red' : 'green', line)}\n`).join('');
  const unknown = Array.isArray(document.notCompared) ? document.notCompared.map((text) => textOf('', text)) : [];
  const also = unknown.flatMap((text) => paragraph(`${text}.`, terminal)).map((line) => `${line}\n`);
  const found = rows.length === 0 ? '' : `\n${table(rows.map(rounded), columns, terminal)}${rest}`;
  return `${lines}${found}${also.length === 0 ? '' : '\n'}${also.join('')}`;
}

/** Three digits are enough to compare; `--json` has them all. */
const rounded = (finding: Document): Document =>
  Object.fromEntries(
    Object.entries(finding).map(([key, value]) => [
      key,
      typeof value === 'number' ? Number(value.toPrecision(3)) : value,
    ]),
  );
