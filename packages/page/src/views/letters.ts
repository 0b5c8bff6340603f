import { shortId } from '@serin/core/base/ids';
import { html } from 'hono/html';
import { ago, badge, pager, table } from '../parts.ts';
import { letterActions } from '../project-actions.ts';
import type { View } from '../views.ts';
import { asked, emptyText, listSentence, statusFilter } from './listing.ts';

interface Letter {
  readonly id: string;
  readonly stream: string;
  readonly status: string;
  readonly because: string;
  readonly at: string;
}

const letterPath = (id: string): string => `/dead-letters/${encodeURIComponent(id)}`;

export const deadLetters: View = async (given) => {
  const { look, query, now, to } = given;
  const { deadLetters: rows, next } = await look.get<{ deadLetters: readonly Letter[]; next?: string }>(
    `/v1/dead-letters${asked(query, 'status')}`,
  );
  return {
    title: 'Dead letters',
    section: 'Dead letters',
    sentence: listSentence(given, rows, 'dead letter', next),
    main: html`${statusFilter(given, ['waiting', 'replayed', 'discarded'])}${table(
      'letters',
      'Signals that nobody could use',
      {
        rows,
        empty: emptyText('dead letter', next),
        keyOf: ({ id }) => id,
        columns: [
          { name: 'Signal', show: ({ id }) => html`<a href="${to(letterPath(id))}">${shortId(id)}</a>` },
          { name: 'To', show: ({ stream }) => stream },
          { name: 'State', show: ({ status }) => badge(status) },
          { name: 'Why', show: ({ because }) => because },
          { name: 'Since', show: ({ at }) => ago(at, now) },
          { name: 'Change', show: (letter) => (letter.status === 'waiting' ? letterActions(given, letter) : '–') },
        ],
      },
    )}${pager(query, next)}`,
  };
};

export const deadLetter: View = async (given) => {
  const { look, params, now } = given;
  const letter = await look.get<Letter & { readonly signal: unknown }>(
    `/v1/dead-letters/${encodeURIComponent(params.id ?? '')}`,
  );
  return {
    title: 'Dead letter',
    section: 'Dead letters',
    sentence: `A signal to ${letter.stream} could not be used; it is ${letter.status}.`,
    main: html`<div id="letter" data-part><p>${badge(letter.status)} ${ago(letter.at, now)}: ${letter.because}</p>
<p class="actions">${letterActions(given, letter)}</p>
<h2>What it says</h2><pre tabindex="0">${JSON.stringify(letter.signal, null, 2)}</pre></div>`,
  };
};
