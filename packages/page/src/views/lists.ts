import { shortId } from '@serin/core/base/ids';
import { bytesText, countText } from '@serin/core/base/numbers';
import { type GateVerdict, gateText } from '@serin/core/model/run/gate';
import { html } from 'hono/html';
import { endedRollouts, endedRuns, letterActions } from '../actions.ts';
import { ago, badge, type Column, filter, type Part, pager, section, table, wordsOf } from '../parts.ts';
import { modelPath, rolloutPath, runPath, versionPath } from '../paths.ts';
import type { Given, View } from '../views.ts';
import type { ModelRow, Plan, Row, Status } from './documents.ts';
import { dropForm } from './drop.ts';
import { digestText } from './things.ts';

/** Lists of what there is: filters and pages are URLs. */

const listed = 100;

/** The query of a list as the API takes it. */
function asked(query: URLSearchParams, ...names: readonly string[]): string {
  const next = new URLSearchParams({ limit: '50' });
  for (const name of ['cursor', ...names]) {
    const value = query.get(name);
    if (value !== null && value !== '') next.set(name, value);
  }
  return `?${next}`;
}

const modelsOf = async ({ look }: Given): Promise<readonly ModelRow[]> => (await look.get<Status>('/v1/status')).models;

/** Links for a few models; a choice for many. */
async function modelFilter(given: Given): Promise<Part> {
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

const statusFilter = ({ query }: Given, states: readonly string[]): Part =>
  filter(query, 'status', {
    label: 'State',
    values: [[undefined, 'all'], ...states.map((state) => [state, wordsOf(state)] as const)],
  });

const modelLink = ({ to }: Given, model: string): Part => html`<a href="${to(modelPath(model))}">${model}</a>`;

const modelColumn = (given: Given): Column<{ readonly model: string }> => ({
  name: 'Model',
  show: ({ model }) => modelLink(given, model),
});

/** What is listed, in words: `12 runs of fraud that are failed`. */
function listSentence(given: Given, rows: readonly unknown[], one: string, next: string | undefined): string {
  const { query } = given;
  const of = query.get('model') ? ` of ${query.get('model')}` : '';
  const state = query.get('status') ? ` in the state ${wordsOf(query.get('status') ?? '')}` : '';
  const from = query.has('cursor') ? ', from further on' : '';
  return rows.length === 0
    ? `There is no ${one}${of}${state} here.`
    : `${next === undefined ? '' : 'more than '}${countText(rows.length, one)}${of}${state}${from}.`;
}

/** Filtered pages may be empty and still have a next one. */
const emptyText = (what: string, next: string | undefined): string =>
  next === undefined ? `There is no ${what}.` : `There is no ${what} on this page; go on to the next.`;

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
            show: ({ model, version, stable }) =>
              html`<a href="${to(versionPath(model, version ?? 0))}">v${version ?? 0}</a>${stable === undefined ? '' : html` <span class="quiet">against v${stable}</span>`}`,
          },
          { name: 'State', show: ({ status }) => badge(status) },
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
}

/** What was measured on what training never saw; else what training says of itself. */
function measured({ scores, metrics }: Version): Part {
  const last = Object.values(scores).at(-1);
  const shown = Object.entries(last ?? metrics).slice(0, 4);
  if (shown.length === 0) return '–';
  return html`${shown.map(([name, value]) => html`<span class="metric">${name} <b>${Number(value.toPrecision(4))}</b></span> `)}${last === undefined ? html`<span class="quiet">(training)</span>` : ''}`;
}

/** The models that a list over models looks at: the one that is asked for, or the first ones. */
async function chosenModels(given: Given): Promise<readonly string[]> {
  const model = given.query.get('model');
  return model ? [model] : (await modelsOf(given)).slice(0, listed).map((row) => row.model);
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
        { name: 'On the hold-out', show: measured },
        { name: 'Gate', show: ({ verdict }) => (verdict === undefined ? '–' : gateText(verdict)) },
        { name: 'Trained', show: ({ at }) => ago(at, now) },
        { name: 'Run', show: ({ run }) => html`<a href="${to(runPath(run))}">${shortId(run)}</a>`, isMinor: true },
      ],
    })}`,
  };
};

interface Dataset {
  readonly model: string;
  readonly digest: string;
  readonly current: boolean;
  readonly objects: number;
  readonly bytes: number;
  readonly bucket: string;
  readonly prefix: string;
  readonly versions: readonly number[];
}

export const datasets: View = async (given) => {
  const { look, query, to } = given;
  const of = await chosenModels(given);
  const pages = await Promise.all(
    of.map(async (model) => {
      const path = `/v1/models/${encodeURIComponent(model)}/datasets${of.length === 1 ? asked(query) : ''}`;
      const page = await look.get<{ datasets: readonly Omit<Dataset, 'model'>[]; next?: string }>(path);
      return { next: page.next, rows: page.datasets.map((dataset) => ({ ...dataset, model })) };
    }),
  );
  const rows = pages.flatMap((page) => page.rows).sort((a, b) => Number(b.current) - Number(a.current));
  const next = of.length === 1 ? pages[0]?.next : undefined;
  return {
    title: 'Datasets',
    section: 'Datasets',
    sentence: listSentence(
      given,
      rows,
      'dataset version',
      pages.some((page) => page.next !== undefined) ? '' : undefined,
    ),
    main: html`${await modelFilter(given)}${table<Dataset>(
      'datasets',
      'Dataset versions: what lay under the prefix at one moment, never changed since',
      {
        rows,
        empty: 'There is no dataset version yet: drop data.',
        columns: [
          {
            name: 'Dataset',
            show: ({ digest, current }) =>
              html`<code title="${digest}">${digestText(digest)}</code> ${current ? badge('champion', 'newest') : ''}`,
          },
          modelColumn(given),
          { name: 'Objects', show: ({ objects }) => objects },
          { name: 'Size', show: ({ bytes }) => bytesText(bytes) },
          {
            name: 'Versions',
            show: ({ model, versions: trained }) =>
              trained.length === 0
                ? '–'
                : trained.map((number) => html`<a href="${to(versionPath(model, number))}">v${number}</a> `),
          },
          { name: 'From', show: ({ bucket, prefix }) => html`<code>${bucket}/${prefix}</code>`, isMinor: true },
        ],
      },
    )}${pager(query, next)}${await drops(given, of)}`,
  };
};

const formsShown = 5;

async function drops(given: Given, of: readonly string[]): Promise<Part> {
  const forms = await Promise.all(
    of.slice(0, formsShown).map(async (model) => {
      const found = await given.look.find<{ readonly plan: Plan; readonly retired?: boolean }>(
        `/v1/models/${encodeURIComponent(model)}`,
      );
      return found === undefined || found.retired === true ? '' : dropForm(given, model, found.plan);
    }),
  );
  return section('drops', 'Drop data', ...forms);
}

const labelKinds = ['recorded', 'duplicate', 'conflict', 'unknown', 'late'] as const;

export const labels: View = async (given) => {
  const { look, now } = given;
  const of = await chosenModels(given);
  const found = await Promise.all(
    of.map((model) =>
      look.get<{
        model: string;
        totals: Readonly<Record<string, number>>;
        files: readonly { file: string; at: string; reasons: readonly string[] }[];
      }>(`/v1/models/${encodeURIComponent(model)}/labels`),
    ),
  );
  const recorded = found.reduce((sum, { totals }) => sum + (totals.recorded ?? 0), 0);
  const files = found.flatMap((each) => each.files.map((file) => ({ ...file, model: each.model })));
  return {
    title: 'Labels',
    section: 'Labels',
    sentence:
      recorded === 0
        ? 'No outcome of a request is known yet.'
        : `${countText(recorded, 'outcome of a request is', 'outcomes of requests are')} known.`,
    main: html`${await modelFilter(given)}${table('labels', 'What became of the labels, by model', {
      rows: found,
      empty: 'There is no model.',
      columns: [
        modelColumn(given),
        ...labelKinds.map((kind) => ({
          name: wordsOf(kind),
          show: ({ totals }: (typeof found)[number]) => totals[kind] ?? 0,
        })),
      ],
    })}${table('label-files', 'The last files of labels', {
      rows: files,
      empty: html`No file of labels came. Send labels with <code>serin labels send</code>, or over HTTP.`,
      columns: [
        { name: 'File', show: ({ file }) => html`<code>${file}</code>` },
        modelColumn(given),
        { name: 'Problems', show: ({ reasons }) => (reasons.length === 0 ? 'none' : reasons.join('; ')) },
        { name: 'Read', show: ({ at }) => ago(at, now) },
      ],
    })}`,
  };
};

interface Letter {
  readonly id: string;
  readonly stream: string;
  readonly status: string;
  readonly because: string;
  readonly at: string;
}

const letterPath = (id: string): string => `/dead-letters/${encodeURIComponent(id)}`;

export const deadLetters: View = async (given) => {
  const { look, query, now, to } = given;
  const { deadLetters: rows, next } = await look.get<{ deadLetters: readonly Letter[]; next?: string }>(
    `/v1/dead-letters${asked(query, 'status')}`,
  );
  return {
    title: 'Dead letters',
    section: 'Dead letters',
    sentence: listSentence(given, rows, 'dead letter', next),
    main: html`${statusFilter(given, ['waiting', 'replayed', 'discarded'])}${table(
      'letters',
      'Signals that nobody could use',
      {
        rows,
        empty: emptyText('dead letter', next),
        keyOf: ({ id }) => id,
        columns: [
          { name: 'Signal', show: ({ id }) => html`<a href="${to(letterPath(id))}">${shortId(id)}</a>` },
          { name: 'To', show: ({ stream }) => stream },
          { name: 'State', show: ({ status }) => badge(status) },
          { name: 'Why', show: ({ because }) => because },
          { name: 'Since', show: ({ at }) => ago(at, now) },
          { name: 'Change', show: (letter) => (letter.status === 'waiting' ? letterActions(given, letter) : '–') },
        ],
      },
    )}${pager(query, next)}`,
  };
};

export const deadLetter: View = async (given) => {
  const { look, params, now } = given;
  const letter = await look.get<Letter & { readonly signal: unknown }>(
    `/v1/dead-letters/${encodeURIComponent(params.id ?? '')}`,
  );
  return {
    title: 'Dead letter',
    section: 'Dead letters',
    sentence: `A signal to ${letter.stream} could not be used; it is ${letter.status}.`,
    main: html`<div id="letter" data-part><p>${badge(letter.status)} ${ago(letter.at, now)}: ${letter.because}</p>
<p class="actions">${letterActions(given, letter)}</p>
<h2>What it says</h2><pre tabindex="0">${JSON.stringify(letter.signal, null, 2)}</pre></div>`,
  };
};
