import { bytesText, countText } from '@serin/core/base/numbers';
import { html } from 'hono/html';
import { ago, badge, type Part, pager, section, table, wordsOf } from '../parts.ts';
import { versionPath } from '../paths.ts';
import type { Given, View } from '../views.ts';
import type { Plan } from './documents.ts';
import { dropForm } from './drop.ts';
import { asked, chosenModels, listSentence, modelColumn, modelFilter } from './listing.ts';
import { digestText } from './things.ts';

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
        totals?: Readonly<Record<string, number>>;
        files: readonly { file: string; at: string; reasons: readonly string[] }[];
      }>(`/v1/models/${encodeURIComponent(model)}/labels`),
    ),
  );
  const recorded = found.reduce((sum, { totals }) => sum + (totals?.recorded ?? 0), 0);
  const isCounted = found.every(({ totals }) => totals !== undefined);
  const files = found.flatMap((each) => each.files.map((file) => ({ ...file, model: each.model })));
  return {
    title: 'Labels',
    section: 'Labels',
    sentence: !isCounted
      ? 'Labels wait here for the copies of their requests, and are not counted by model.'
      : recorded === 0
        ? 'No outcome of a request is known yet.'
        : `${countText(recorded, 'outcome of a request is', 'outcomes of requests are')} known.`,
    main: html`${await modelFilter(given)}${table('labels', 'What became of the labels, by model', {
      rows: found,
      empty: 'There is no model.',
      columns: [
        modelColumn(given),
        ...labelKinds.map((kind) => ({
          name: wordsOf(kind),
          show: ({ totals }: (typeof found)[number]) => (totals === undefined ? 'not counted' : (totals[kind] ?? 0)),
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
