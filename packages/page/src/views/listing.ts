import { countText } from '@serin/core/base/numbers';
import { html } from 'hono/html';
import { type Column, filter, type Part, wordsOf } from '../parts.ts';
import { modelPath } from '../paths.ts';
import type { Given } from '../views.ts';
import type { ModelRow, Status } from './documents.ts';

/** What the lists have in common: filters, pages and sentences. Filters and pages are URLs. */

const listed = 100;

/** The query of a list as the API takes it. */
export function asked(query: URLSearchParams, ...names: readonly string[]): string {
  const next = new URLSearchParams({ limit: '50' });
  for (const name of ['cursor', ...names]) {
    const value = query.get(name);
    if (value !== null && value !== '') next.set(name, value);
  }
  return `?${next}`;
}

export const modelsOf = async ({ look }: Given): Promise<readonly ModelRow[]> =>
  (await look.get<Status>('/v1/status')).models;

/** Links for a few models; a choice for many. */
export async function modelFilter(given: Given): Promise<Part> {
  const { query } = given;
  const names = (await modelsOf(given)).map(({ model }) => model);
  if (names.length < 2 && !query.has('model')) return '';
  if (names.length <= 8)
    return filter(query, 'model', {
      label: 'Model',
      values: [[undefined, 'all'], ...names.map((name) => [name, name] as const)],
    });
  const now = query.get('model');
  const kept = [...query].filter(([name]) => !['model', 'cursor', 'before'].includes(name));
  return html`<form class="filter" method="get"><label for="model">Model</label> <select id="model" name="model"><option value="">all</option>${names.map((name) => html`<option${name === now ? html` selected` : ''}>${name}</option>`)}</select>${kept.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)} <button type="submit">Show</button></form>`;
}

export const statusFilter = ({ query }: Given, states: readonly string[]): Part =>
  filter(query, 'status', {
    label: 'State',
    values: [[undefined, 'all'], ...states.map((state) => [state, wordsOf(state)] as const)],
  });

const modelLink = ({ to }: Given, model: string): Part => html`<a href="${to(modelPath(model))}">${model}</a>`;

export const modelColumn = (given: Given): Column<{ readonly model: string }> => ({
  name: 'Model',
  show: ({ model }) => modelLink(given, model),
});

/** What is listed, in words: `12 runs of fraud that are failed`. */
export function listSentence(given: Given, rows: readonly unknown[], one: string, next: string | undefined): string {
  const { query } = given;
  const of = query.get('model') ? ` of ${query.get('model')}` : '';
  const state = query.get('status') ? ` in the state ${wordsOf(query.get('status') ?? '')}` : '';
  const from = query.has('cursor') ? ', from further on' : '';
  return rows.length === 0
    ? `There is no ${one}${of}${state} here.`
    : `${next === undefined ? '' : 'more than '}${countText(rows.length, one)}${of}${state}${from}.`;
}

/** Filtered pages may be empty and still have a next one. */
export const emptyText = (what: string, next: string | undefined): string =>
  next === undefined ? `There is no ${what}.` : `There is no ${what} on this page; go on to the next.`;

/** The models that a list over models looks at: the one that is asked for, or the first ones. */
export async function chosenModels(given: Given): Promise<readonly string[]> {
  const model = given.query.get('model');
  return model ? [model] : (await modelsOf(given)).slice(0, listed).map((row) => row.model);
}
