import { agoText } from '@serin/core/base/time';
import { html } from 'hono/html';
import type { Html } from './views.ts';

/** Parts that pages are made of. */

export type Part = Html | Promise<Html> | string | number;

/** A time as a person counts it; the page counts on, and the exact time is one look away. */
export function ago(time: string | number | undefined, now: number): Part {
  if (time === undefined) return '';
  const at = typeof time === 'number' ? time : Date.parse(time);
  if (Number.isNaN(at)) return String(time);
  const exact = new Date(at).toISOString();
  return html`<time datetime="${exact}" title="${exact}" data-ago>${agoText(at, now)}</time>`;
}

const tones: Readonly<Record<string, string>> = {
  succeeded: 'good',
  promoted: 'good',
  approved: 'good',
  champion: 'good',
  converged: 'good',
  whole: 'good',
  failed: 'bad',
  rolledBack: 'bad',
  aborted: 'bad',
  blocked: 'bad',
  quarantined: 'bad',
  rejected: 'bad',
  refused: 'warn',
  held: 'warn',
  paused: 'warn',
  pending: 'warn',
  waiting: 'warn',
  expired: 'warn',
  reverting: 'warn',
  cancelled: 'still',
  superseded: 'still',
  discarded: 'still',
  replayed: 'still',
  idle: 'still',
  served: 'still',
  trained: 'still',
};

/** A state in one word. Its colour says nothing that the word does not. */
export const badge = (state: string, text = wordsOf(state)): Part =>
  html`<span class="badge ${tones[state] ?? 'busy'}">${text}</span>`;

/** `rolledBack` as `rolled back`. */
export const wordsOf = (state: string): string =>
  state.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);

export interface Column<Row> {
  readonly name: string;
  readonly show: (row: Row) => Part | readonly Part[];
  /** Said less often: left out where there is little room. */
  readonly isMinor?: true;
}

interface Listing<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** What is said when there are none. */
  readonly empty: Part;
  /** What a row is known by when others come before it: what is open or has the focus in it stays. */
  readonly keyOf?: (row: Row) => string | number;
}

/** Rows; where there is little room each becomes a card, and the roles keep it a table for those who hear it. */
export function table<Row>(id: string, caption: string, { columns, rows, empty, keyOf }: Listing<Row>): Part {
  if (rows.length === 0) return html`<p class="quiet" id="${id}" data-part>${empty}</p>`;
  const head = columns.map(
    ({ name, isMinor }) => html`<th role="columnheader" scope="col"${minor(isMinor)}>${name}</th>`,
  );
  const body = rows.map(
    (row) =>
      html`<tr role="row"${keyOf === undefined ? '' : html` id="${id}-${keyOf(row)}"`}>${columns.map(({ name, show, isMinor }) => html`<td role="cell" data-label="${name}"${minor(isMinor)}><div>${show(row)}</div></td>`)}</tr>`,
  );
  return html`<table role="table" id="${id}" data-part><caption>${caption}</caption><thead role="rowgroup"><tr role="row">${head}</tr></thead><tbody role="rowgroup">${body}</tbody></table>`;
}

const minor = (isMinor: true | undefined): Part => (isMinor === true ? html` class="minor"` : '');

/** A section with its heading; a part, so that it is renewed. */
export const section = (id: string, title: string, ...parts: readonly Part[]): Part =>
  html`<section id="${id}" data-part aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${parts}</section>`;

/** A command that can be copied. */
export const command = (text: string): Part =>
  html`<p class="command"><code>${text}</code><button type="button" class="plain copy">Copy</button></p>`;

/** This page with other parameters; `undefined` takes one away. */
export function withQuery(query: URLSearchParams, changes: Readonly<Record<string, string | undefined>>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) next.delete(name);
    else next.set(name, value);
  }
  return `?${next}`;
}

/** Where a list goes on. The way back is the browser's. */
export const pager = (query: URLSearchParams, next: string | undefined, parameter = 'cursor'): Part =>
  html`<p class="pager" id="pager" data-part>${query.has(parameter) ? html`<a href="${withQuery(query, { [parameter]: undefined })}">First page</a>` : ''} ${next === undefined ? '' : html`<a href="${withQuery(query, { [parameter]: next })}" rel="next">Next page</a>`}</p>`;

/** One filter of a list: a row of links, each a URL of its own. */
export function filter(
  query: URLSearchParams,
  name: string,
  {
    label,
    values,
  }: { readonly label: string; readonly values: readonly (readonly [value: string | undefined, text: string])[] },
): Part {
  const now = query.get(name) ?? undefined;
  return html`<p class="filter"><span class="quiet">${label}</span> ${values.map(
    ([value, text]) =>
      html`<a href="${withQuery(query, { [name]: value, cursor: undefined, before: undefined })}"${value === now ? html` aria-current="true"` : ''}>${text}</a> `,
  )}</p>`;
}
