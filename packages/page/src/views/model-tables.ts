import { shortId } from '@serin/core/base/ids';
import { scoreOf } from '@serin/core/model/compare';
import { html } from 'hono/html';
import { ago, badge, type Part, table } from '../parts.ts';
import { runPath, versionPath } from '../paths.ts';
import type { Given } from '../views.ts';
import { digestText, type ModelDoc, metricsOf, type VersionDoc, valueText } from './things.ts';

/** A row of `GET /v1/runs`. */
export interface RunRow {
  readonly id: string;
  readonly status: string;
  readonly startedAt: string;
  readonly trigger?: string;
  readonly dataset?: string;
  readonly version?: number;
  readonly because?: string;
}

/** More lines hide each other. */
export const mostMetrics = 4;

export function versionsTable({ to, now }: Given, it: ModelDoc, versions: readonly VersionDoc[]): Part {
  const metrics = metricsOf(it, versions).slice(0, mostMetrics);
  const compared = (number: number) =>
    it.champion === undefined || number === it.champion
      ? ''
      : html`<a href="${to(`/models/${it.model}/compare?a=${number}&b=${it.champion}`)}">with v${it.champion}</a>`;
  return table<VersionDoc>('versions-table', 'The newest twenty, and those in use', {
    rows: versions,
    empty: 'Nothing has been trained yet.',
    columns: [
      {
        name: 'Version',
        show: ({ model: name, number }) => html`<a href="${to(versionPath(name, number))}">v${number}</a>`,
      },
      { name: 'State', show: ({ state }) => badge(state) },
      ...metrics.map((metric) => ({
        name: metric,
        show: (version: VersionDoc) => valueText(scoreOf(version, metric)),
      })),
      { name: 'Trained', show: ({ at }) => ago(at, now) },
      { name: 'Compare', show: ({ number }) => compared(number), isMinor: true },
    ],
  });
}

export const runsTable = ({ to, now }: Given, runs: readonly RunRow[]): Part =>
  table<RunRow>('runs-table', 'The newest twenty runs', {
    rows: runs,
    empty: 'No run has been started yet: drop data, or start one.',
    columns: [
      { name: 'Started', show: ({ startedAt }) => ago(startedAt, now) },
      { name: 'By', show: ({ trigger }) => trigger ?? '', isMinor: true },
      { name: 'Data', show: ({ dataset }) => html`<code>${digestText(dataset)}</code>`, isMinor: true },
      { name: 'Run', show: ({ id }) => html`<a href="${to(runPath(id))}">${shortId(id)}</a>` },
      { name: 'Outcome', show: ({ status }) => badge(status) },
      { name: 'Version', show: ({ version }) => (version === undefined ? '' : `v${version}`) },
      { name: 'Why', show: ({ because }) => because ?? '' },
    ],
  });
