import { columnLabel } from '@serin/core/drift/answers';
import { html } from 'hono/html';
import { command, type Part, section } from '../parts.ts';
import { figure } from '../plot/figure.ts';
import type { Given } from '../views.ts';
import { type ColumnDoc, columnPlot, type WindowDoc, windowsPlot } from './drift-plots.ts';
import { type EstimateDoc, estimatePart } from './estimate.ts';
import { type PerformanceDoc, performancePart } from './performance.ts';
import type { ModelDoc } from './things.ts';

/** What `GET /v1/models/{model}/drift` answers. */
interface DriftDoc {
  readonly sentence: string;
  readonly version?: number;
  readonly uncalibrated?: string;
  readonly answers?: { readonly sentence: string };
  readonly days?: string;
  readonly columns: readonly ColumnDoc[];
  readonly windows: readonly WindowDoc[];
  readonly estimate?: EstimateDoc;
  readonly performance?: PerformanceDoc;
}

/** The columns that are drawn; the others are in the table. */
const drawnColumns = 6;

/** How requests differ from the data that the champion was trained on, and how good its predictions are. */
export async function driftParts({ look }: Given, { model, plan: { monitor } }: ModelDoc): Promise<Part> {
  if (monitor.drift === undefined && monitor.performance === undefined) return '';
  const it = await look.get<DriftDoc>(`/v1/models/${encodeURIComponent(model)}/drift`);
  return html`${monitor.drift === undefined ? '' : requestsPart(model, it, monitor.drift)}
${it.performance === undefined ? '' : performancePart(model, it.performance)}
${it.estimate === undefined ? '' : estimatePart(model, it.estimate)}`;
}

function requestsPart(model: string, it: DriftDoc, rules: { readonly notice: number; readonly major: number }): Part {
  const plots = it.columns.flatMap((column) => columnPlot(column) ?? []).slice(0, drawnColumns);
  return section(
    'drift',
    'Requests against the training data',
    html`<p>${capital(it.sentence)}.</p>${it.uncalibrated === undefined ? '' : html`<p class="quiet">False alarms may be more frequent than promised: ${it.uncalibrated}.</p>`}${it.answers === undefined ? '' : html`<p class="quiet">${capital(it.answers.sentence)}.</p>`}${it.days === undefined ? '' : html`<p class="quiet">Seasons: ${it.days}.</p>`}`,
    it.windows.length === 0 ? '' : html`<div class="plots">${figure(windowsPlot(it.windows, rules))}</div>`,
    plots.length === 0 ? '' : html`<div class="plots">${plots.map(figure)}</div>`,
    it.columns.length === 0 ? '' : columnsTable(it.columns),
    command(`serin drift ${model}`),
  );
}

function columnsTable(columns: readonly ColumnDoc[]): Part {
  return html`<details><summary>Columns that changed most</summary><div class="scroll" tabindex="0" role="group" aria-label="Columns that changed most"><table>
<thead><tr><th scope="col">Column</th><th scope="col">Size</th><th scope="col">Evidence</th><th scope="col">No value, in training</th><th scope="col">No value, now</th></tr></thead>
<tbody>${columns.map(({ name, size, evidence, missing: [before, now] }) => html`<tr><th scope="row">${columnLabel(name)}</th><td data-label="Size">${size?.toFixed(3) ?? ''}</td><td data-label="Evidence">${evidenceText(evidence)}</td><td data-label="No value, in training">${shareText(before)}</td><td data-label="No value, now">${shareText(now)}</td></tr>`)}</tbody></table></div></details>`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Beyond a million nobody asks how much. */
const evidenceText = (evidence: number): string =>
  evidence > 1e6 ? 'over 1,000,000' : String(Number(evidence.toPrecision(3)));

const shareText = (share: number): string => `${(share * 100).toFixed(1)} %`;
