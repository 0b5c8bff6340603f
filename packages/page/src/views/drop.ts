import { html } from 'hono/html';
import { mayNot } from '../action.ts';
import { command, type Part } from '../parts.ts';
import type { Given } from '../views.ts';
import { newestEvents } from './activity.ts';
import type { Plan } from './documents.ts';

/** Where data of a model goes, and a place to drop it: on one machine the browser brings it there. */
export async function dropForm(given: Given, model: string, { data: { bucket, prefix } }: Plan): Promise<Part> {
  const { look, caller } = given;
  const isHere = (await look.find(newestEvents)) !== undefined;
  if (!isHere) return html`<p>Put data into the bucket <code>${bucket}</code> under <code>${prefix}</code>.</p>`;
  const refused = mayNot(caller, { role: 'operator' });
  const id = `drop-${model}`;
  return html`<form class="drop" data-drop="/v1/buckets/${encodeURIComponent(bucket)}/objects/" data-prefix="${prefix}">
<p><label for="${id}">Drop data of ${model} here</label> <input id="${id}" type="file" multiple${refused === undefined ? '' : html` disabled aria-describedby="${id}-why"`}></p>
${refused === undefined ? '' : html`<p class="refused" id="${id}-why">To drop data ${refused}.</p>`}
<p class="quiet">It goes to <code>${bucket}/${prefix}</code>: on this machine the folder <code>.serin/buckets/${bucket}/${prefix}</code> of the project.</p>
${command(`serin drop ${model} <file>`)}
<output data-own></output>
</form>`;
}
