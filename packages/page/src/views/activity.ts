import { sentenceOf } from '@serin/core/sinks/sentence';
import { html } from 'hono/html';
import { ago, type Part } from '../parts.ts';
import { modelPath, rolloutPath, runPath, versionPath } from '../paths.ts';
import type { Given } from '../views.ts';
import type { Happened, ModelRow } from './documents.ts';

/** Where the platform keeps its events, the newest of them; a cloud has them on its bus. */
export const newestEvents = '/v1/events?before=now&limit=20';

interface Line {
  readonly at: string;
  readonly said: Part;
}

/** What happened last: events in sentences, or what the models remember. */
export async function activity(given: Given, models: readonly ModelRow[]): Promise<Part> {
  const kept = await given.look.find<{ readonly events: readonly Happened[] }>(newestEvents);
  const lines =
    kept === undefined
      ? await remembered(given, models)
      : kept.events
          .filter(({ event }) => !isDetail(event))
          .slice(0, linesShown)
          .map((each) => lineOf(given, each));
  if (lines.length === 0) return html`<p class="quiet">Nothing yet.</p>`;
  return html`<ol class="lines">${lines.map(({ at, said }) => html`<li>${ago(at, given.now)} <span>${said}</span></li>`)}</ol>${
    kept === undefined ? '' : html`<p><a href="${given.to('/events')}">All events</a></p>`
  }`;
}

/** Said by another event as well. */
const isDetail = ({ type }: Happened['event']): boolean => type.includes('.rollout.certified.');

function lineOf(given: Given, { event }: Happened): Line {
  return { at: event.time, said: sentence(given, event) };
}

/** An event as a line, with a link to what it is about. */
export function sentence({ to }: Given, event: Happened['event']): Part {
  const { subject, said } = sentenceOf(event);
  const path = pathOf(event.subject);
  return html`${path === undefined ? subject : html`<a href="${to(path)}">${subject}</a>`} ${said}`;
}

/** The page of an event's subject. */
function pathOf(subject: string): string | undefined {
  const [kind = '', id = '', , number] = subject.split('/');
  if (kind === 'runs') return runPath(id);
  if (kind === 'rollouts') return rolloutPath(id);
  if (kind === 'models' && number !== undefined) return versionPath(id, Number(number));
  return kind === 'models' || kind === 'endpoints' ? modelPath(id) : undefined;
}

const modelsAsked = 5;
const linesShown = 12;

async function remembered({ look, to }: Given, models: readonly ModelRow[]): Promise<readonly Line[]> {
  const stories = await Promise.all(
    models.slice(0, modelsAsked).map(async ({ model }) => {
      const why = await look.find<{ readonly story: readonly { readonly at: string; readonly text: string }[] }>(
        `/v1/why/${encodeURIComponent(model)}`,
      );
      return (why?.story ?? []).map(({ at, text }) => ({
        at,
        said: html`<a href="${to(modelPath(model))}">${model}</a> ${text}`,
      }));
    }),
  );
  return stories
    .flat()
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, linesShown);
}
