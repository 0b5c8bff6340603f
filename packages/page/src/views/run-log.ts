import { html } from 'hono/html';
import { command, type Part } from '../parts.ts';
import type { Given } from '../views.ts';
import type { StepDoc } from './run.ts';
import type { RunDoc } from './things.ts';

/** `GET /v1/runs/{id}/logs` */
interface Log {
  readonly text: string;
  readonly next: number;
  readonly ended?: boolean;
}

/** The log of one job. A script follows it; without scripts it is as it was when the page was asked for. */
export async function runLog({ look, query, to }: Given, it: RunDoc, steps: readonly StepDoc[]): Promise<Part> {
  const jobs = steps.map(({ step, attempt }) => ({ step, attempt, name: attempt === 1 ? step : `${step} ${attempt}` }));
  const asked =
    jobs.find(({ name }) => name === query.get('log')) ?? jobs.findLast(({ step }) => step === 'train') ?? jobs.at(-1);
  const title = html`<h2 id="log-title">Log</h2>`;
  if (asked === undefined)
    return html`<section aria-labelledby="log-title">${title}<p class="quiet">No job has begun.</p></section>`;
  const path = `/v1/runs/${it.id}/logs?job=${asked.step}&attempt=${asked.attempt}`;
  const log = await look.find<Log>(path);
  const links = jobs.map(
    ({ name }) =>
      html`<a href="?log=${encodeURIComponent(name)}#log-title"${name === asked.name ? html` aria-current="true"` : ''}>${name}</a> `,
  );
  const text =
    log === undefined
      ? html`<p class="quiet">There is no log of this job here: it wrote none, or this platform keeps it in its own place.</p>`
      : html`<pre class="log" id="log" tabindex="0" aria-labelledby="log-title" data-own data-log="${to(path)}" data-next="${log.next}"${log.ended === true ? html` data-ended` : ''}>${log.text}</pre>`;
  return html`<section aria-labelledby="log-title">${title}<p class="filter"><span class="quiet">Job</span> ${links}</p>${text}${command(`serin runs logs ${it.id} --job ${asked.step}`)}</section>`;
}
