import { countText, grouped } from '@serin/core/base/numbers';
import { durationText } from '@serin/core/base/time';
import { html } from 'hono/html';
import { cancelRun, endedRuns } from '../actions.ts';
import { ago, badge, type Part, section, table } from '../parts.ts';
import { modelPath, versionPath } from '../paths.ts';
import { figure } from '../plot/figure.ts';
import type { Span, SpansPlot } from '../plot/spec.ts';
import type { Given, View } from '../views.ts';
import { facts, sentenceOf, story } from './facts.ts';
import { runLog } from './run-log.ts';
import { type Logged, loggedPlots, metricsTable } from './run-metrics.ts';
import { digestText, type RunDoc, type Why } from './things.ts';
import { gate } from './version.ts';

/** `GET /v1/runs/{id}/steps` */
export interface StepDoc {
  readonly step: string;
  readonly attempt: number;
  readonly from: string;
  readonly ran?: string;
  readonly to?: string;
}

/** A run: its steps and how long they took, its log, what it measured, and what it was made from. */
export const run: View = async (given) => {
  const { look, params, now } = given;
  const path = `/v1/runs/${encodeURIComponent(params.id ?? '')}`;
  const it = await look.get<RunDoc>(path);
  const [why, { steps }, logged] = await Promise.all([
    look.get<Why>(`/v1/why/${it.id}`),
    look.get<{ readonly steps: readonly StepDoc[] }>(`/v1/runs/${it.id}/steps`),
    look.find<{ readonly metrics: readonly Logged[] }>(`/v1/runs/${it.id}/metrics`),
  ]);
  const isOver = endedRuns.includes(it.status);
  return {
    title: `Run of ${it.model}`,
    section: 'Runs',
    sentence: sentenceOf(why.sentence),
    main: html`<div id="state" data-part>${isOver ? '' : html`<p class="actions">${cancelRun(given, it, look.revisionOf(path))}</p>`}${about(given, it)}</div>
${section('steps', 'Steps', stepsPart(it, steps, now))}
${await runLog(given, it, steps)}
${section('gate', 'The gate', gate(it.verdict))}
${section('metrics', 'Metrics', metricsTable(it), loggedPlots(logged?.metrics ?? []))}
${section('lineage', 'Made from', madeFrom(it))}
${section('story', 'What happened', story(why.story, now))}`,
  };
};

function about({ to, now }: Given, it: RunDoc): Part {
  const took = Date.parse(it.endedAt ?? '') - Date.parse(it.startedAt);
  return facts([
    ['Model', html`<a href="${to(modelPath(it.model))}">${it.model}</a>`],
    ['State', badge(it.status)],
    ['Started', html`${ago(it.startedAt, now)} by ${it.trigger.by ?? it.trigger.kind} (${it.trigger.kind})`],
    it.endedAt === undefined
      ? ['For', durationText(Math.max(0, now - Date.parse(it.startedAt)))]
      : ['Took', durationText(took)],
    it.trained === undefined
      ? undefined
      : ['Made', html`<a href="${to(versionPath(it.model, it.trained.number))}">v${it.trained.number}</a>`],
    ['Id', html`<code>${it.id}</code>`],
  ]);
}

const stepNames: Readonly<Record<string, string>> = {
  prepare: 'cut the hold-out',
  train: 'train',
  evaluate: 'score it',
  champion: 'score the champion',
};

function stepsPart(it: RunDoc, steps: readonly StepDoc[], now: number): Part {
  if (steps.length === 0)
    return html`<p class="quiet">${endedRuns.includes(it.status) ? 'It ended before its first job.' : 'No job has been asked for yet.'}</p>`;
  const end = (step: StepDoc) => (step.to === undefined ? now : Date.parse(step.to));
  return html`${figure(stepsPlot(it, steps, now))}${table<StepDoc>('steps-table', 'What each step took', {
    rows: steps,
    empty: '',
    columns: [
      { name: 'Step', show: ({ step }) => `${stepNames[step] ?? step} (${step})` },
      { name: 'Attempt', show: ({ attempt }) => attempt },
      { name: 'Began', show: ({ from }) => ago(from, now) },
      {
        name: 'Waited',
        show: ({ from, ran }) => (ran === undefined ? '' : durationText(Date.parse(ran) - Date.parse(from))),
        isMinor: true,
      },
      {
        name: 'Took',
        show: (step) => `${durationText(end(step) - Date.parse(step.from))}${step.to === undefined ? ' so far' : ''}`,
      },
    ],
  })}`;
}

function stepsPlot(it: RunDoc, steps: readonly StepDoc[], now: number): SpansPlot {
  const to = Math.max(it.endedAt === undefined ? now : Date.parse(it.endedAt), Date.parse(it.startedAt) + 1000);
  const names = [...new Set(steps.map(({ step }) => step))];
  const spanOf = (each: StepDoc): readonly Span[] => {
    const [from, until] = [Date.parse(each.from), each.to === undefined ? to : Date.parse(each.to)];
    const ran = each.ran === undefined ? until : Date.parse(each.ran);
    const again = each.attempt > 1 ? `attempt ${each.attempt}, ` : '';
    const waits: Span = { from, to: ran, text: `${again}waits ${durationText(ran - from)}`, tone: 'quiet' };
    const runs: Span = {
      from: ran,
      to: until,
      text: `${again}${durationText(until - ran)}`,
      tone: each.to === undefined ? 'accent' : 'good',
    };
    return each.ran === undefined
      ? [{ ...waits, text: `${again}${durationText(until - from)}`, tone: each.to === undefined ? 'accent' : 'good' }]
      : [waits, runs];
  };
  return {
    ...{ kind: 'spans', id: 'course', title: 'How it went', from: Date.parse(it.startedAt), to },
    description: `${steps.length} jobs, one after the other: ${names.join(', ')}.`,
    rows: names.map((name) => ({ name, spans: steps.filter(({ step }) => step === name).flatMap(spanOf) })),
  };
}

function madeFrom({ dataset, plan, trigger, releasedBy, inputs, split }: RunDoc): Part {
  const parameters = Object.entries({ ...plan.train.hyperparameters, ...trigger.hyperparameters });
  return facts([
    [
      'Data',
      html`<code>${digestText(dataset.digest)}</code> ${countText(dataset.objects, 'object')}, ${grouped(dataset.bytes)} bytes of <code>${dataset.bucket}/${dataset.prefix}</code>`,
    ],
    dataset.by === undefined || dataset.by.length === 0 ? undefined : ['Dropped by', dataset.by.join(', ')],
    plan.train.code === undefined ? undefined : ['Code', html`<code>${digestText(plan.train.code.digest)}</code>`],
    (trigger.image ?? plan.train.image) === undefined
      ? undefined
      : ['Image', html`<code>${trigger.image ?? plan.train.image}</code>`],
    trigger.commit === undefined ? undefined : ['Commit', html`<code>${trigger.commit}</code>`],
    ['Command', html`<code>${plan.train.command.join(' ')}</code>`],
    [
      'Hyperparameters',
      parameters.length === 0 ? 'none' : parameters.map(([name, value]) => `${name} ${String(value)}`).join(', '),
    ],
    split === undefined ? undefined : ['Hold-out', split.rule],
    releasedBy === undefined || releasedBy.length === 0 ? undefined : ['Config released by', releasedBy.join(', ')],
    [
      'Inputs',
      html`<code>${digestText(inputs)}</code> <small class="quiet">A drop with equal inputs starts no second run.</small>`,
    ],
  ]);
}
