import { html } from 'hono/html';
import { ago, type Part } from '../parts.ts';

/** Names and values of one thing. */
export const facts = (rows: readonly (readonly [name: string, value: Part] | undefined)[]): Part =>
  html`<dl class="facts">${rows.map((row) => (row === undefined ? '' : html`<div><dt>${row[0]}</dt><dd>${row[1]}</dd></div>`))}</dl>`;

/** What happened, the oldest first. */
export const story = (lines: readonly { readonly at: string; readonly text: string }[], now: number): Part =>
  lines.length === 0
    ? html`<p class="quiet">Nothing has happened yet.</p>`
    : html`<ol class="lines">${lines.map(({ at, text }) => html`<li>${ago(at, now)}<span>${text}</span></li>`)}</ol>`;

/** A sentence of the API as a sentence of a page. The name of a model, or of a version, stays as it is. */
export function sentenceOf(text: string): string {
  const begun = /^(the|run) /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
