import { shortId } from '@serin/core/base/ids';
import { grouped } from '@serin/core/base/numbers';
import { own } from '@serin/core/base/objects';
import { day, hour, minute } from '@serin/core/base/time';
import { html } from 'hono/html';
import { approve, reject, rollback, startRun } from '../actions.ts';
import { ago, badge, command, filter, type Part, section } from '../parts.ts';
import { rolloutPath, runPath, versionPath } from '../paths.ts';
import { figure } from '../plot/figure.ts';
import type { Given, View } from '../views.ts';
import { driftParts } from './drift.ts';
import { facts, sentenceOf, story } from './facts.ts';
import { metricPlot, type RolloutRow, type Served, servedPlot, type Traffic, trafficPlots } from './model-plots.ts';
import { mostMetrics, type RunRow, runsTable, versionsTable } from './model-tables.ts';
import { type ModelDoc, metricsOf, type VersionDoc, type Why } from './things.ts';

/** The pages of a time, by what stands in the URL. */
const spans = { '15m': 15 * minute, '1h': hour, '6h': 6 * hour, '1d': day, '7d': 7 * day } as const;

/** A model: what serves and why, how its versions compare, what its endpoint does, what came of its data. */
export const model: View = async (given) => {
  const { look, params, now, query } = given;
  const path = `/v1/models/${encodeURIComponent(params.model ?? '')}`;
  const it = await look.get<ModelDoc>(path);
  const named = `model=${encodeURIComponent(it.model)}`;
  const [why, { versions }, { served }, { runs }, { rollouts }] = await Promise.all([
    look.get<Why>(`/v1/why/${it.model}`),
    look.get<{ readonly versions: readonly VersionDoc[] }>(`${path}/versions`),
    look.get<{ readonly served: readonly Served[] }>(`${path}/history`),
    look.get<{ readonly runs: readonly RunRow[] }>(`/v1/runs?limit=20&${named}`),
    look.get<{ readonly rollouts: readonly RolloutRow[] }>(`/v1/rollouts?limit=50&${named}`),
  ]);
  const window = windowOf(query.get('span'), served, now);
  return {
    title: it.model,
    section: 'Models',
    sentence: sentenceOf(why.sentence),
    main: html`<div id="state" data-part>${actions(given, it, versions)}${state(given, it)}</div>
${it.monitor.alerts.length === 0 ? '' : alerts(it, now)}
${section('scores', 'Scores by version', scores(it, versions))}
${await servedPart(given, it, { window, served, rollouts })}
${await driftParts(given, it)}
${section('versions', 'Versions', versionsTable(given, it, versions))}
${section('runs', 'Drops and verdicts', runsTable(given, runs))}
${section('predict', 'Predict', predict(it))}
${section('story', 'What happened', story(why.story, now))}`,
  };
};

function actions(given: Given, it: ModelDoc, versions: readonly VersionDoc[]): Part {
  const offered = versions.find(({ number }) => number === it.offered);
  const holds = it.monitor.holds === undefined ? undefined : it.monitor.alerts.map(({ title }) => title).join(', ');
  return html`<p class="actions">${offered === undefined ? '' : [approve(given, it, offered, { holds }), reject(given, it, offered)]} ${rollback(given, it)} ${startRun(given, it)}</p>`;
}

function state({ to }: Given, it: ModelDoc): Part {
  const weights = Object.entries(it.endpoint.weights).map(([name, weight]) => `${name} ${weight} %`);
  return facts([
    [
      'Champion',
      it.champion === undefined
        ? 'none yet'
        : html`<a href="${to(versionPath(it.model, it.champion))}">v${it.champion}</a>`,
    ],
    it.offered === undefined
      ? undefined
      : ['Offered', html`<a href="${to(versionPath(it.model, it.offered))}">v${it.offered}</a>`],
    it.run === undefined
      ? undefined
      : ['Run', html`<a href="${to(runPath(it.run.id))}">${shortId(it.run.id)}</a> ${badge(it.run.status)}`],
    it.rollout === undefined
      ? undefined
      : [
          'Rollout',
          html`<a href="${to(rolloutPath(it.rollout.id))}">${shortId(it.rollout.id)}</a> ${badge(it.rollout.status)}`,
        ],
    [
      'Endpoint',
      html`${badge(it.endpoint.status)} ${weights.join(', ')}${it.endpoint.because === undefined ? '' : `: ${it.endpoint.because}`}`,
    ],
    ['Data', html`<code>${it.plan.data.bucket}/${it.plan.data.prefix}</code> ${it.intake.text}`],
  ]);
}

const alerts = ({ monitor }: ModelDoc, now: number): Part =>
  section(
    'alerts',
    'Alerts that fire',
    html`<ul>${monitor.alerts.map(({ title, sender, since, did, next }) => html`<li>${title} <span class="quiet">(${sender}, ${ago(since, now)})</span>: ${next ?? didText[did] ?? did}</li>`)}</ul>`,
  );

const didText: Readonly<Record<string, string>> = {
  revert: 'the rollout under way was taken back',
  rollback: 'traffic goes back to the last good version',
  run: 'a run was started',
  wait: 'a run waits, and starts if it still fires then',
  notify: 'it was noted',
  escalate: 'somebody has to look at it',
};

function scores(it: ModelDoc, versions: readonly VersionDoc[]): Part {
  const metrics = metricsOf(it, versions).slice(0, mostMetrics);
  const plots = metrics
    .map((metric) => metricPlot(metric, own(it.plan.gate, metric), versions))
    .filter(({ layers }) => layers.some((layer) => layer.kind === 'marks'));
  return plots.length === 0
    ? html`<p class="quiet">No version has been scored on a hold-out yet.</p>`
    : html`<div class="plots">${plots.map(figure)}</div>`;
}

/** What is looked at: a span that was asked for, else all that it has served, but at most a day. */
function windowOf(asked: string | null, served: readonly Served[], now: number) {
  const age = now - Date.parse(served.at(-1)?.at ?? '');
  const all = Math.min(day, Math.max(15 * minute, age || 0));
  const span = asked !== null && asked in spans ? (asked as keyof typeof spans) : undefined;
  return { span, from: now - (span === undefined ? all : spans[span]), to: now, isWhole: all >= age };
}

async function servedPart(
  { look, query, to: link }: Given,
  it: ModelDoc,
  {
    window: { span, from, to, isWhole },
    served,
    rollouts,
  }: {
    readonly window: ReturnType<typeof windowOf>;
    readonly served: readonly Served[];
    readonly rollouts: readonly RolloutRow[];
  },
): Promise<Part> {
  const iso = (at: number) => encodeURIComponent(new Date(at).toISOString());
  const traffic = await look.find<Traffic>(
    `/v1/models/${encodeURIComponent(it.model)}/traffic?from=${iso(from)}&to=${iso(to)}`,
  );
  const plots = traffic === undefined ? [] : trafficPlots({ from, to }, traffic);
  return section(
    'traffic',
    'What served, and how',
    filter(query, 'span', {
      label: 'Time',
      values: [[undefined, isWhole ? 'all of it' : 'day'], ...Object.keys(spans).map((name) => [name, name] as const)],
    }),
    html`<div class="plots">${figure(servedPlot({ from, to }, served, rollouts))}${plots.map(figure)}</div>`,
    html`<p class="quiet">${silence(traffic, plots.length, span ?? 'time')} ${rollouts.length === 0 ? '' : html`<a href="${link(`/rollouts?model=${encodeURIComponent(it.model)}`)}">All rollouts</a>`}</p>`,
  );
}

/** Why there is no plot of traffic, or what the latencies were. */
function silence(traffic: Traffic | undefined, plots: number, span: string): string {
  if (traffic === undefined) return 'This platform does not tell the traffic of this model.';
  if (traffic.because !== undefined) return `There is no traffic: ${traffic.because}.`;
  if (plots === 0)
    return traffic.ticks.length > 0 && traffic.ticks.every(({ unserved }) => unserved === true)
      ? `The server was off in the last ${span}.`
      : `No request has been counted in the last ${span}. The newest minutes are counted last.`;
  const { latency } = traffic;
  const ms = (value: number) => `${Number(value.toPrecision(3))} ms`;
  return latency === undefined
    ? 'Latencies are not known yet.'
    : `Half of the ${grouped(latency.requests)} requests took at most ${ms(latency.p50)}, 90 % at most ${ms(latency.p90)}, 99 % at most ${ms(latency.p99)}.`;
}

function predict({ model: name, plan, champion }: ModelDoc): Part {
  if (plan.serve === 'none') return html`<p>This model is not served by Serin. Its champion is in the registry.</p>`;
  if (champion === undefined) return html`<p>Nothing serves yet. The first version that passes the gate will.</p>`;
  return html`<p>Ask the endpoint; each answer says which version gave it.</p>
<p class="command"><code>curl -d '<span>what the model takes</span>' <span data-own data-address="endpoints/${name}/invocations">http://…/endpoints/${name}/invocations</span></code><button type="button" class="plain copy">Copy</button></p>
${command(`serin predict ${name} request.json`)}`;
}
