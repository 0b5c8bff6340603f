import { grouped } from '@serin/core/base/numbers';
import { type ComparedScore, comparedOrigins, comparedScores } from '@serin/core/model/compare';
import { html } from 'hono/html';
import { badge, command, type Part, section, table } from '../parts.ts';
import { modelPath, rolloutPath, versionPath } from '../paths.ts';
import type { Given, View } from '../views.ts';
import { digestText, type ModelDoc, type VersionDoc, valueText } from './things.ts';

interface Rollout {
  readonly id: string;
  readonly status: string;
  readonly because?: string;
  readonly evidence: { readonly candidate: { readonly requests: number; readonly errors: number } };
}
interface Side {
  readonly version: VersionDoc;
  /** The newest in which it was the candidate. */
  readonly rollout?: Rollout;
}
type Sides = readonly [Side, Side];

/** Two versions side by side: scores, what they were made from, how they served. */
export const compare: View = async (given) => {
  const { look, params, query, to } = given;
  const path = `/v1/models/${encodeURIComponent(params.model ?? '')}`;
  const [model, { versions }] = await Promise.all([
    look.get<ModelDoc>(path),
    look.get<{ readonly versions: readonly VersionDoc[] }>(`${path}/versions`),
  ]);
  const chosen = (name: string, or: number | undefined) => Number(query.get(name) ?? or ?? 0);
  const a = chosen('a', versions[0]?.number);
  const b = chosen(
    'b',
    versions.find(({ number }) => number === model.champion && number !== a)?.number ?? versions[1]?.number,
  );
  const title = `Compare versions of ${model.model}`;
  const picker = form(model.model, versions, [a, b], to(`/models/${model.model}/compare`));
  if (versions.length < 2)
    return {
      title,
      section: 'Versions',
      sentence: 'There are not two versions yet.',
      main: html`<p><a href="${to(modelPath(model.model))}">Back to ${model.model}</a></p>`,
    };
  const sides: Sides = [await side(given, path, a), await side(given, path, b)];
  const { rows, isSame } = comparedScores([sides[0].version, sides[1].version], model.plan.gate);
  return {
    title,
    section: 'Versions',
    sentence: sentence(sides, rows, isSame),
    main: html`${picker}
${section('scores', 'Scores', scoresTable([a, b], rows, isSame))}
${section('origins', 'Made from', originsTable(given, sides))}
${section('served', 'Served', servedTable(given, sides))}
<p>In a terminal:</p>${command(`serin compare ${model.model}@${a} ${model.model}@${b}`)}`,
  };
};

async function side({ look }: Given, path: string, number: number): Promise<Side> {
  const version = await look.get<VersionDoc>(`${path}/versions/${number}`);
  const { rollouts } = await look.get<{
    readonly rollouts: readonly { readonly id: string; readonly version?: number }[];
  }>(`/v1/rollouts?limit=200&model=${encodeURIComponent(version.model)}`);
  const row = rollouts.find((each) => each.version === number);
  return row === undefined ? { version } : { version, rollout: await look.get<Rollout>(`/v1/rollouts/${row.id}`) };
}

function form(model: string, versions: readonly VersionDoc[], chosen: readonly number[], action: string): Part {
  const choice = (name: string, label: string, now: number | undefined) =>
    html`<label>${label} <select name="${name}">${versions.map(({ number }) => html`<option value="${number}"${number === now ? html` selected` : ''}>v${number}</option>`)}</select></label>`;
  return html`<form class="actions" action="${action}" aria-label="Versions of ${model}">${choice('a', 'Version', chosen[0])} ${choice('b', 'with', chosen[1])} <button type="submit">Compare</button></form>`;
}

function sentence(
  [{ version: one }, { version: other }]: Sides,
  rows: readonly ComparedScore[],
  isSame: boolean,
): string {
  const told = rows.filter(({ says }) => says !== undefined).map(({ metric, says }) => `${says} in ${metric}`);
  const where = isSame
    ? 'on the same hold-out'
    : 'each on the hold-out of its own run, so the numbers do not compare exactly';
  return told.length === 0
    ? `v${one.number} and v${other.number} have no score that the gate knows in common.`
    : `v${one.number} is ${told.join(', ')} than v${other.number}, ${where}.`.replace(
        /equal in (\S+) than/,
        'equal in $1 to',
      );
}

const scoresTable = ([a, b]: readonly [number, number], rows: readonly ComparedScore[], isSame: boolean): Part =>
  table<ComparedScore>('scores-table', isSame ? 'On the same hold-out' : 'Each on the hold-out of its own run', {
    rows,
    empty: 'Neither was scored.',
    columns: [
      { name: 'Metric', show: ({ metric }) => metric },
      { name: `v${a}`, show: ({ one }) => valueText(one) },
      { name: `v${b}`, show: ({ other }) => valueText(other) },
      {
        name: 'Difference',
        show: ({ difference }) => difference ?? '',
      },
      { name: `v${a} is`, show: ({ says }) => says ?? '' },
    ],
  });

function originsTable({ to }: Given, [one, other]: Sides): Part {
  const rows = comparedOrigins([one.version, other.version]);
  const heading = ({ version: { model, number } }: Side) =>
    html`<a href="${to(versionPath(model, number))}">v${number}</a>`;
  return html`<p>${heading(one)} and ${heading(other)}; what differs is marked.</p>${table(
    'origins-table',
    'What each was made from',
    {
      rows,
      empty: 'Nothing is known of it.',
      columns: [
        { name: 'What', show: ({ what }) => what },
        { name: `v${one.version.number}`, show: (row) => shortened(row.one) },
        { name: `v${other.version.number}`, show: (row) => shortened(row.other) },
        { name: '', show: (row) => (row.one === row.other ? 'same' : badge('waiting', 'differs')) },
      ],
    },
  )}`;
}

const shortened = (value: unknown): string => {
  const text = value === undefined ? '' : String(value);
  return /^[0-9a-f]{32,}$/.test(text) ? digestText(text) : text;
};

const servedTable = ({ to }: Given, sides: Sides): Part =>
  table('served-table', 'The newest rollout of each', {
    rows: sides.flatMap(({ version, rollout }) => (rollout === undefined ? [] : [{ version, rollout }])),
    empty: 'Neither was ever rolled out.',
    columns: [
      { name: 'Version', show: ({ version }) => `v${version.number}` },
      {
        name: 'Rollout',
        show: ({ rollout }) => html`<a href="${to(rolloutPath(rollout.id))}">${badge(rollout.status)}</a>`,
      },
      { name: 'Requests', show: ({ rollout }) => grouped(rollout.evidence.candidate.requests) },
      { name: 'Failed', show: ({ rollout }) => grouped(rollout.evidence.candidate.errors) },
      { name: 'Why', show: ({ rollout }) => rollout.because ?? '' },
    ],
  });
