import { shortId } from '@serin/core/base/ids';
import { type GateVerdict, gateText } from '@serin/core/model/run/gate';
import { html } from 'hono/html';
import { endedRollouts, endedRuns } from '../actions.ts';
import { ago, badge, type Part, pager, table } from '../parts.ts';
import { rolloutPath, runPath, versionPath } from '../paths.ts';
import type { View } from '../views.ts';
import type { ModelRow, Row } from './documents.ts';
import { asked, chosenModels, emptyText, listSentence, modelColumn, modelFilter, statusFilter } from './listing.ts';

/** Lists of what there is. */

export const models: View = async (given) => {
  const { look, query, now } = given;
  const { models: rows, next } = await look.get<{ models: readonly ModelRow[]; next?: string }>(
    `/v1/models${asked(query)}`,
  );
  return {
    title: 'Models',
    section: 'Models',
    sentence: listSentence(given, rows, 'model', next),
    main: html`${table('models', 'Models, by name', {
      rows,
      empty: emptyText('model', next),
      keyOf: ({ model }) => model,
      columns: [
        modelColumn(given),
        {
          name: 'Champion',
          show: ({ model, champion, since }) =>
            champion === undefined
              ? '–'
              : html`<a href="${given.to(versionPath(model, champion))}">v${champion}</a> ${ago(since, now)}`,
        },
        {
          name: 'Run',
          show: ({ run }) =>
            run === undefined ? '–' : html`<a href="${given.to(runPath(run.id))}">${badge(run.status)}</a>`,
        },
        {
          name: 'Rollout',
          show: ({ rollout }) =>
            rollout === undefined
              ? '–'
              : html`<a href="${given.to(rolloutPath(rollout.id))}">v${rollout.candidate} ${badge(rollout.status)}</a>`,
        },
        { name: 'Data', show: ({ intake }) => badge(intake), isMinor: true },
        { name: 'Alerts', show: ({ firing }) => firing ?? '–' },
        { name: 'Changed', show: ({ at }) => ago(at, now), isMinor: true },
      ],
    })}${pager(query, next)}`,
  };
};

export const runs: View = async (given) => {
  const { look, query, now, to } = given;
  const path = `/v1/runs${asked(query, 'model', 'status')}`;
  const { runs: rows, next } = await look.get<{ runs: readonly Row[]; next?: string }>(path);
  return {
    title: 'Runs',
    section: 'Runs',
    sentence: listSentence(given, rows, 'run', next),
    main: html`${await modelFilter(given)}${statusFilter(given, endedRuns)}${table('runs', 'Runs, the newest first', {
      rows,
      empty: emptyText('run', next),
      keyOf: ({ id }) => id,
      columns: [
        { name: 'Run', show: ({ id }) => html`<a href="${to(runPath(id))}">${shortId(id)}</a>` },
        modelColumn(given),
        { name: 'State', show: ({ status }) => badge(status) },
        {
          name: 'Version',
          show: ({ model, version }) =>
            version === undefined ? '–' : html`<a href="${to(versionPath(model, version))}">v${version}</a>`,
        },
        { name: 'Why', show: ({ because }) => because ?? '–' },
        { name: 'Started', show: ({ startedAt }) => ago(startedAt, now) },
        { name: 'By', show: ({ trigger }) => trigger ?? '–', isMinor: true },
      ],
    })}${pager(query, next)}`,
  };
};

/** A rollback by hand that arrived did not promote anything. */
const rolloutBadge = (kind: string | undefined, status: string): Part =>
  kind === 'rollback' && status === 'promoted' ? badge('rolledBack', 'done') : badge(status);

export const rollouts: View = async (given) => {
  const { look, query, now, to } = given;
  const path = `/v1/rollouts${asked(query, 'model', 'status')}`;
  const { rollouts: rows, next } = await look.get<{ rollouts: readonly Row[]; next?: string }>(path);
  return {
    title: 'Rollouts',
    section: 'Rollouts',
    sentence: listSentence(given, rows, 'rollout', next),
    main: html`${await modelFilter(given)}${statusFilter(given, ['held', 'paused', ...endedRollouts])}${table(
      'rollouts',
      'Rollouts, the newest first',
      {
        rows,
        empty: emptyText('rollout', next),
        keyOf: ({ id }) => id,
        columns: [
          { name: 'Rollout', show: ({ id }) => html`<a href="${to(rolloutPath(id))}">${shortId(id)}</a>` },
          modelColumn(given),
          {
            name: 'Version',
            show: ({ model, version, stable, kind }) =>
              html`${kind === 'rollback' ? 'back to ' : ''}<a href="${to(versionPath(model, version ?? 0))}">v${version ?? 0}</a>${stable === undefined ? '' : html` <span class="quiet">${kind === 'rollback' ? 'from' : 'against'} v${stable}</span>`}`,
          },
          { name: 'State', show: ({ kind, status }) => rolloutBadge(kind, status) },
          { name: 'Why', show: ({ because }) => because ?? '–' },
          { name: 'Started', show: ({ startedAt }) => ago(startedAt, now) },
        ],
      },
    )}${pager(query, next)}`,
  };
};

interface Version {
  readonly model: string;
  readonly number: number;
  readonly run: string;
  readonly at: string;
  readonly dataset: string;
  readonly state: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly scores: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly verdict?: GateVerdict;
  readonly approval?: { readonly status: string; readonly by?: string; readonly note?: string };
}

/** Who let it serve or not, and why. */
const decided = (approval: Version['approval']): string =>
  approval?.by === undefined
    ? (approval?.status ?? '–')
    : `${approval.status} by ${approval.by}${approval.note === undefined ? '' : `: ${approval.note}`}`;

/** What was measured on what training never saw; else what training says of itself. */
function measured({ scores, metrics }: Version): Part {
  const last = Object.values(scores).at(-1);
  const shown = Object.entries(last ?? metrics).slice(0, 4);
  if (shown.length === 0) return '–';
  return html`${shown.map(([name, value]) => html`<span class="metric">${name} <b>${Number(value.toPrecision(4))}</b></span> `)}${last === undefined ? html`<span class="quiet">(training)</span>` : ''}`;
}

export const versions: View = async (given) => {
  const { look, now, to } = given;
  const of = await chosenModels(given);
  const pages = await Promise.all(
    of.map((model) => look.get<{ versions: readonly Version[] }>(`/v1/models/${encodeURIComponent(model)}/versions`)),
  );
  const rows = pages
    .flatMap((page) => page.versions)
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, 200);
  return {
    title: 'Versions',
    section: 'Versions',
    sentence: listSentence(given, rows, 'version', undefined),
    main: html`${await modelFilter(given)}${table('versions', 'Versions that are kept, the newest first', {
      rows,
      empty: 'There is no version yet: a run that trains makes one.',
      columns: [
        {
          name: 'Version',
          show: ({ model, number }) => html`<a href="${to(versionPath(model, number))}">${model} v${number}</a>`,
        },
        { name: 'State', show: ({ state }) => badge(state) },
        { name: 'On its newest hold-out', show: measured },
        { name: 'Gate', show: ({ verdict }) => (verdict === undefined ? '–' : gateText(verdict)) },
        { name: 'Approval', show: ({ approval }) => decided(approval) },
        { name: 'Trained', show: ({ at }) => ago(at, now) },
        { name: 'Run', show: ({ run }) => html`<a href="${to(runPath(run))}">${shortId(run)}</a>`, isMinor: true },
      ],
    })}`,
  };
};
