import { shortId } from '@serin/core/base/ids';
import { grouped } from '@serin/core/base/numbers';
import { html } from 'hono/html';
import { endedRollouts, endedRuns } from '../actions.ts';
import type { Look } from '../look.ts';
import { ago, badge, command, type Part } from '../parts.ts';
import { modelPath, rolloutPath, runPath, versionPath } from '../paths.ts';
import { thaw } from '../project-actions.ts';
import type { Given, View } from '../views.ts';
import { activity } from './activity.ts';
import { attention } from './attention.ts';
import { asksFor, type ModelRow, type Plan, type Rollout, type Status } from './documents.ts';
import { dropForm } from './drop.ts';
import { digestText } from './things.ts';

export const overview: View = async (given) => {
  const { look, now, to } = given;
  const status = await look.get<Status>('/v1/status');
  const { models, project, freeze: frozen, config } = status;
  const rollouts = await underWay(look, models);
  const [needed, steps, news] = await Promise.all([
    attention(given, models, { rollouts, isFrozen: frozen !== undefined }),
    firstSteps(given, status),
    activity(given, models),
  ]);
  return {
    title: project ?? 'No project yet',
    section: 'Overview',
    sentence: sentenceOf(models, frozen !== undefined),
    main: html`<div id="overview" data-part>
${frozenNote(given, status)}${needed}${steps}
${models.length === 0 ? '' : html`<section aria-labelledby="models-title"><h2 id="models-title">Models</h2><ul class="cards">${models.map((model) => card(given, model, rollouts.get(model.rollout?.id ?? '')))}</ul></section>`}
${status.next === undefined ? '' : html`<p><a href="${to('/models')}">All models</a></p>`}
${models.length === 0 ? '' : html`<section aria-labelledby="news-title"><h2 id="news-title">What happened</h2>${news}</section>`}
<p class="quiet">${config === undefined ? '' : html`Config ${digestText(config.digest)}, released by ${config.by} ${ago(config.at, now)}.`} ${status.clock ?? ''}</p>
</div>`,
  };
};

const isTraining = ({ run }: ModelRow): boolean => run !== undefined && !endedRuns.includes(run.status);
const isMoving = ({ rollout }: ModelRow): boolean => rollout !== undefined && !endedRollouts.includes(rollout.status);

/** What a person would say after one look. */
function sentenceOf(models: readonly ModelRow[], isFrozen: boolean): string {
  if (models.length === 0) return 'Nothing is released yet.';
  const parts = [
    [models.filter(isTraining), 'trains', 'train'],
    [models.filter(isMoving), 'has a new version on its way', 'have a new version on their way'],
    [models.filter((model) => asksFor(model) !== undefined), 'waits for approval', 'wait for approval'],
    [models.filter(({ firing }) => firing !== undefined), 'has an alert that fires', 'have alerts that fire'],
  ] as const;
  const said = parts.flatMap(([of, one, more]) =>
    of.length === 0 ? [] : [`${of.length === 1 ? of[0]?.model : of.length} ${of.length === 1 ? one : more}`],
  );
  const serving = models.filter(({ champion }) => champion !== undefined).length;
  const [only] = models;
  const first =
    models.length === 1
      ? `${only?.model} ${serving === 1 ? 'serves' : 'does not serve yet'}`
      : `${serving} of ${models.length} models ${serving === 1 ? 'serves' : 'serve'}`;
  return `${isFrozen ? 'The project is frozen. ' : ''}${[first, ...said].join('; ')}.`;
}

/** Rollouts that go on, by id: their weights and counts are only in their own documents. */
async function underWay(look: Look, models: readonly ModelRow[]): Promise<ReadonlyMap<string, Rollout>> {
  const ids = models.flatMap((model) => (model.rollout !== undefined && isMoving(model) ? [model.rollout.id] : []));
  const found = await Promise.all(ids.slice(0, 30).map((id) => look.find<Rollout>(`/v1/rollouts/${id}`)));
  return new Map(found.flatMap((rollout) => (rollout === undefined ? [] : [[rollout.id, rollout] as const])));
}

function frozenNote(given: Given, { freeze: frozen }: Status): Part {
  if (frozen === undefined) return '';
  const until = frozen.until === undefined ? '' : html`, until ${ago(frozen.until, given.now)}`;
  return html`<section class="attention" aria-labelledby="frozen-title"><h2 id="frozen-title">Frozen</h2><p>${frozen.by} stopped starts and promotions${until}: ${frozen.because}. Rollbacks go on.</p><p class="actions">${thaw(given, frozen.because)}</p></section>`;
}

/** One model: what serves, and what goes on. */
function card({ to, now }: Given, row: ModelRow, rollout: Rollout | undefined): Part {
  const { model, champion, since, run, retired } = row;
  return html`<li class="card" id="model-${model}">
<h3><a href="${to(modelPath(model))}">${model}</a></h3>
<p class="serves">${
    champion === undefined
      ? html`<span class="quiet">no champion yet</span>`
      : html`<a href="${to(versionPath(model, champion))}">v${champion}</a> ${badge('champion')} <span class="quiet">${since === undefined ? '' : html`since ${ago(since, now)}`}</span>`
  }</p>
${rollout === undefined ? '' : shifting(to, rollout, now)}
${run !== undefined && isTraining(row) ? html`<p>${badge(run.status)} <a href="${to(runPath(run.id))}">${shortId(run.id)}</a></p>` : ''}
${row.intake === 'idle' ? '' : html`<p>${badge(row.intake)} <span class="quiet">new data${row.settlesAt === undefined ? '' : html`, listed ${ago(row.settlesAt, now)}`}</span></p>`}
${row.data === undefined || isFresh(row) ? '' : html`<p class="quiet">data: ${row.data}</p>`}
${retired === true ? html`<p>${badge('superseded', 'left the config')}</p>` : ''}
${lastRun(to, row)}
</li>`;
}

/** A rollout under way: how much of the traffic, and what it came to so far. */
function shifting(to: Given['to'], rollout: Rollout, now: number): Part {
  const { id, candidate, status, weight, evidence, until, endsAt } = rollout;
  const end = until ?? endsAt;
  return html`<p>${badge(status)} <a href="${to(rolloutPath(id))}">v${candidate} at ${weight} %</a>${end === undefined ? '' : html` <span class="quiet">ends ${ago(end, now)}</span>`}</p>
<p><meter min="0" max="100" value="${weight}" aria-label="share of the traffic of v${candidate}">${weight} %</meter></p>
<p class="quiet">${grouped(evidence.candidate.requests)} requests, ${grouped(evidence.candidate.errors)} failed</p>`;
}

const lastRun = (to: Given['to'], row: ModelRow): Part =>
  row.run === undefined || isTraining(row)
    ? ''
    : html`<p class="quiet">last run <a href="${to(runPath(row.run.id))}">${shortId(row.run.id)}</a> ${badge(row.run.status)}</p>`;

/** Whether the model is still unused. */
const isFresh = ({ champion, run, intake, retired }: ModelRow): boolean =>
  champion === undefined && run === undefined && intake === 'idle' && retired !== true;

const modelsGuided = 3;

/** What to do next, as long as some model is still unused. */
async function firstSteps(given: Given, { models, project }: Status): Promise<Part> {
  if (models.length === 0)
    return html`<section aria-labelledby="next-title"><h2 id="next-title">What to do next</h2>
<p>${project === undefined ? 'Write a project into an empty folder, then run it:' : 'The config names no model that you may see. Add one to the config, then release it:'}</p>
${project === undefined ? html`${command('serin init')}${command('serin dev')}` : command('serin release')}</section>`;
  const fresh = models.filter(isFresh);
  const forms = await Promise.all(
    fresh.slice(0, modelsGuided).map(async ({ model }) => {
      const found = await given.look.find<{ readonly plan: Plan }>(`/v1/models/${encodeURIComponent(model)}`);
      return found === undefined ? '' : dropForm(given, model, found.plan);
    }),
  );
  if (forms.length === 0) return '';
  return html`<section aria-labelledby="next-title"><h2 id="next-title">What to do next</h2><p>Drop data: it becomes a dataset version, a run trains on it, and what passes the gate is rolled out.</p>${forms}</section>`;
}
