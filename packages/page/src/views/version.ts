import { shortId } from '@serin/core/base/ids';
import { hyperparametersIn, lineageNames } from '@serin/core/model/compare';
import { gateText } from '@serin/core/model/run/gate';
import { html } from 'hono/html';
import { approve, reject, restore } from '../actions.ts';
import { ago, badge, type Part, section, table } from '../parts.ts';
import { modelPath, rolloutPath, runPath } from '../paths.ts';
import type { Given, View } from '../views.ts';
import { facts, sentenceOf, story } from './facts.ts';
import { digestText, type ModelDoc, type Verdict, type VersionDoc, valueText, type Why } from './things.ts';

interface RolloutRow {
  readonly id: string;
  readonly status: string;
  readonly version?: number;
  readonly startedAt: string;
  readonly because?: string;
}

/** A version: its scores, what it was made from, and how it served. */
export const version: View = async (given) => {
  const { look, params, now, to } = given;
  const model = encodeURIComponent(params.model ?? '');
  const it = await look.get<VersionDoc>(`/v1/models/${model}/versions/${encodeURIComponent(params.number ?? '')}`);
  const [why, of, { rollouts }] = await Promise.all([
    look.get<Why>(`/v1/why/${it.model}@${it.number}`),
    look.get<ModelDoc>(`/v1/models/${model}`),
    look.get<{ readonly rollouts: readonly RolloutRow[] }>(`/v1/rollouts?limit=100&model=${model}`),
  ]);
  const own = rollouts.filter(({ version: number }) => number === it.number);
  return {
    title: `v${it.number} of ${it.model}`,
    section: 'Versions',
    sentence: sentenceOf(why.sentence),
    main: html`<div id="state" data-part>${actions(given, it, of)}${facts([
      ['Model', html`<a href="${to(modelPath(it.model))}">${it.model}</a>`],
      ['State', badge(it.state)],
      ['Trained', html`${ago(it.at, now)} by <a href="${to(runPath(it.run))}">${shortId(it.run)}</a>`],
      it.approval === undefined
        ? undefined
        : [
            'Approval',
            html`${badge(it.approval.status)}${it.approval.by === undefined ? '' : ` by ${it.approval.by}`}${it.approval.note === undefined ? '' : `: ${it.approval.note}`}`,
          ],
      of.champion === undefined || of.champion === it.number
        ? undefined
        : [
            'Compare',
            html`<a href="${to(`/models/${it.model}/compare?a=${it.number}&b=${of.champion}`)}">with the champion v${of.champion}</a>`,
          ],
    ])}</div>
${section('gate', 'The gate', gate(it.verdict))}
${section('scores', 'Scores', metrics(it))}
${section('lineage', 'Made from', lineage(it))}
${section('rollouts', 'Rollouts', rolloutsTable(given, own))}
${section('story', 'What happened', story(why.story, now))}`,
  };
};

const actions = (given: Given, it: VersionDoc, of: ModelDoc): Part => {
  const holds = of.monitor.holds === it.number ? of.monitor.alerts.map(({ title }) => title).join(', ') : undefined;
  const pending = it.approval?.status === 'pending' || holds !== undefined;
  return html`<p class="actions">${pending ? [approve(given, of, it, { holds }), reject(given, of, it)] : ''} ${restore(given, of, it)}</p>`;
};

/** Every number that decided. */
export function gate(verdict: Verdict | undefined): Part {
  if (verdict === undefined) return html`<p class="quiet">No gate has judged it.</p>`;
  const rules = { atLeast: 'at least', atMost: 'at most', noWorseBy: 'no worse than the champion by more than' };
  return html`<p>${verdict.passed ? 'It' : 'It was'} ${gateText(verdict)}.</p>
${table(
  'checks',
  verdict.against === undefined
    ? 'There was no champion to compare with'
    : `Compared with v${verdict.against}, on the same hold-out`,
  {
    rows: verdict.checks,
    empty: 'No criterion applied.',
    columns: [
      { name: 'Metric', show: ({ metric }) => metric },
      { name: 'Wanted', show: ({ rule, bound }) => `${rules[rule]} ${valueText(bound)}` },
      {
        name: 'Measured',
        show: ({ challenger, unread }) =>
          challenger === undefined ? (unread ?? 'not measured') : valueText(challenger),
      },
      { name: 'Champion', show: ({ champion }) => valueText(champion) },
      { name: 'Passed', show: ({ passed }) => (passed ? 'yes' : 'no') },
    ],
  },
)}`;
}

interface Measured {
  readonly metric: string;
  readonly value: number;
  readonly where: string;
}

function metrics({ metrics: trained, scores }: VersionDoc): Part {
  const keys = Object.keys(scores);
  const held = Object.entries(scores).flatMap(([key, each]) =>
    Object.entries(each).map(
      ([metric, value]): Measured => ({
        metric,
        value,
        where: `hold-out ${key.slice(0, 8)}${key === keys.at(-1) ? ', the newest' : ''}`,
      }),
    ),
  );
  const own = Object.entries(trained).map(
    ([metric, value]): Measured => ({ metric, value, where: 'as the trainer measured it' }),
  );
  return table<Measured>('metrics', 'Only those on a hold-out are what the gate goes by', {
    rows: [...held, ...own],
    empty: 'Nothing was measured.',
    columns: [
      { name: 'Metric', show: ({ metric }) => metric },
      { name: 'Value', show: ({ value }) => valueText(value) },
      { name: 'Where', show: ({ where }) => where },
    ],
  });
}

/** What it was made from: the same inputs make the same run. */
export function lineage({ lineage: from, artifact }: Pick<VersionDoc, 'lineage' | 'artifact'>): Part {
  return facts([
    ...Object.entries(from).map(([name, text]) => [lineageNames[name] ?? name, lineageText(name, text)] as const),
    ['model artifact', artifact.digest === undefined ? html`<code>${artifact.uri}</code>` : digest(artifact.digest)],
  ]);
}

/** The whole of it is one look away. */
const digest = (text: string): Part => html`<code title="${text}">${digestText(text)}</code>`;

/** Hyperparameters are kept as JSON. */
function lineageText(name: string, text: string): Part {
  if (name === 'run') return html`<code title="${text}">${shortId(text)}</code>`;
  if (name !== 'hyperparameters')
    return /^[0-9a-f]{64}$/.test(text) ? digest(text) : /[0-9a-f]{32}/.test(text) ? html`<code>${text}</code>` : text;
  const given = Object.entries(hyperparametersIn(text));
  return given.length === 0 ? 'none' : given.map(([key, value]) => `${key} ${String(value)}`).join(', ');
}

const rolloutsTable = ({ to, now }: Given, rows: readonly RolloutRow[]): Part =>
  table<RolloutRow>('rollouts-table', 'In which it was the candidate', {
    rows,
    empty: 'It has never been rolled out.',
    columns: [
      { name: 'Started', show: ({ startedAt }) => ago(startedAt, now) },
      { name: 'Rollout', show: ({ id }) => html`<a href="${to(rolloutPath(id))}">${shortId(id)}</a>` },
      { name: 'Outcome', show: ({ status }) => badge(status) },
      { name: 'Why', show: ({ because }) => because ?? '' },
    ],
  });
