import { html } from 'hono/html';
import type { View } from '../views.ts';

interface Status {
  readonly project?: string;
  readonly models: readonly { readonly model: string; readonly champion?: number }[];
}

export const overview: View = async ({ look }) => {
  const { project, models } = await look.get<Status>('/v1/status');
  return {
    title: project ?? 'No project yet',
    section: 'Overview',
    sentence: `${models.length} ${models.length === 1 ? 'model' : 'models'}`,
    main: html`<ul id="models" data-part>${models.map(({ model, champion }) => html`<li>${model} ${champion === undefined ? 'has no champion' : `v${champion}`}</li>`)}</ul>`,
  };
};
