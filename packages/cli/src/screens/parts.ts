import type { Document } from '../client.ts';
import { hanging, type Reader, stateColour, table, textOf, valueAt } from '../table.ts';
import { agoIn, timeIn } from '../times.ts';
import { padTo, paragraph, widthOf } from '../width.ts';

/** What a person sees of one document; internals are only in `--json`. */
export type Screen = (document: Document, terminal: Reader) => string;

/** A label and what stands beside it; one without a text is left out. `state` colours it by what it says. */
export interface Row {
  readonly label: string;
  readonly text: string;
  readonly state?: string;
}

/** Rows under a heading, or a table that is there already; without either nothing is shown. */
export interface Part {
  readonly heading?: string;
  readonly rows?: readonly Row[];
  readonly text?: string;
}

export const row = (label: string, text: string | undefined, state?: string): Row => ({
  label,
  text: text ?? '',
  ...(state === undefined ? {} : { state }),
});

/** A title in bold, then the parts, an empty line before each that has a heading. */
export function screenOf(title: string, parts: readonly Part[], terminal: Reader): string {
  const shown = parts
    .map((part) => ({ ...part, rows: (part.rows ?? []).filter(({ text }) => text !== '') }))
    .filter(({ rows, text = '' }) => rows.length > 0 || text !== '');
  const width = Math.max(0, ...shown.flatMap(({ rows }) => rows.map(({ label }) => widthOf(label))));
  const bodies = shown.map(({ heading, rows, text = '' }) => {
    const head = heading === undefined ? '' : `\n${terminal.paint('bold', heading)}\n`;
    return `${head}${rows.map((each) => rowText(each, width, terminal)).join('')}${text}`;
  });
  return `${terminal.paint('bold', title)}\n${bodies.join('')}`;
}

function rowText({ label, text, state }: Row, width: number, terminal: Reader): string {
  const [first = '', ...more] = hanging(padTo(label, width), width, text, terminal);
  const at = first.length - first.slice(width).trimStart().length;
  const paint = (line: string) => (state === undefined ? line : terminal.paint(stateColour(state), line));
  const head = `${terminal.paint('dim', first.slice(0, at))}${paint(first.slice(at))}`;
  return [head, ...more.map(paint)].map((line) => `${line}\n`).join('');
}

/** The text at a path of a document. */
export const textAt = (document: unknown, path: string): string => textOf(path, valueAt(document, path));

/** The texts at paths, each with what stands before it, joined; without a text a path says nothing. */
export const joined = (between: string, ...texts: readonly (string | undefined)[]): string =>
  texts.filter((text) => text !== undefined && text !== '').join(between);

export const led = (before: string, text: string): string => (text === '' ? '' : `${before}${text}`);

/** A time as the clock on the wall has it, and how long ago that was. */
export function timeAt(document: unknown, path: string, terminal: Reader): string {
  const value = valueAt(document, path);
  const at = typeof value === 'number' ? value : Date.parse(String(value ?? ''));
  if (Number.isNaN(at)) return '';
  const [time, ago] = [timeIn(at, terminal), agoIn(at, terminal)];
  return ago === time ? time : `${time} (${ago})`;
}

/** What somebody may do next, under an empty line. */
export const hint = (text: string, terminal: Reader): Part => ({
  text: text === '' ? '' : `\n${paragraph(text, terminal).join('\n')}\n`,
});

/** Lines of a timeline under a heading. */
export const storyPart = (document: Document, terminal: Reader): Part => ({
  heading: 'Story',
  text:
    Array.isArray(document.story) && document.story.length > 0
      ? table(document.story, { AT: { path: 'at', as: 'at' }, WHAT: 'text' }, terminal)
      : '',
});

/** Rows of names and numbers, such as metrics. */
export const valueRows = (values: unknown): readonly Row[] =>
  Object.entries(Object(values) as Record<string, unknown>).map(([name, value]) =>
    row(textOf('', name), textOf(name, value)),
  );

export const trailed = (before: string, text: string, after: string): string =>
  text === '' ? '' : `${before}${text}${after}`;

/** Deployments by their share of the traffic. */
export const weightsText = (weights: unknown): string =>
  Object.entries(Object(weights) as Record<string, unknown>)
    .map(([name, weight]) => `${textOf('', name)} ${String(weight)} %`)
    .join(', ');
