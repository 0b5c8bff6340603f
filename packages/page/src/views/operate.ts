import { shortId } from '@serin/core/base/ids';
import { countText } from '@serin/core/base/numbers';
import { rootOf } from '@serin/core/ports/entry';
import type { Entry } from '@serin/core/ports/journal';
import { html } from 'hono/html';
import { mayNot } from '../action.ts';
import type { Look } from '../look.ts';
import { ago, badge, command, type Part, pager, section, table, withQuery, wordsOf } from '../parts.ts';
import { modelPath } from '../paths.ts';
import { createToken, freeze, revokeToken, thaw } from '../project-actions.ts';
import type { View } from '../views.ts';
import { sentence } from './activity.ts';
import type { Happened, ModelRow, Status } from './documents.ts';
import { digestText } from './things.ts';

/** What an operator looks after: events, freezes, the audit and tokens. */

export const events: View = async (given) => {
  const { look, query, now } = given;
  const before = query.get('before') ?? 'now';
  const found = await look.find<{ readonly events: readonly Happened[]; readonly next?: string }>(
    `/v1/events?${new URLSearchParams({ before, limit: '50' })}`,
  );
  const rows = found?.events ?? [];
  return {
    title: 'Events',
    section: 'Events',
    sentence:
      found === undefined
        ? 'This installation does not keep its events; its cloud has them on its bus.'
        : rows.length === 0
          ? 'Nothing happened yet.'
          : `What Serin announced, the newest first${before === 'now' ? '' : ', from further back'}.`,
    main: html`${
      found === undefined
        ? ''
        : table('events', 'Events, the newest first', {
            rows,
            empty: 'Nothing happened yet.',
            keyOf: ({ position }) => position,
            columns: [
              { name: 'When', show: ({ event }) => ago(event.time, now) },
              { name: 'What', show: ({ event }) => sentence(given, event) },
              { name: 'Type', show: ({ event }) => html`<code>${event.type}</code>`, isMinor: true },
              {
                name: 'All of it',
                show: ({ event, position }) =>
                  html`<details id="event-${position}"><summary>Data</summary><pre tabindex="0">${JSON.stringify(event, null, 2)}</pre></details>`,
              },
            ],
          })
    }${pager(query, found?.next, 'before')}`,
  };
};

export const freezes: View = async (given) => {
  const { look, caller, now } = given;
  const { freeze: frozen } = await look.get<Status>('/v1/status');
  const mayRead = mayNot(caller, { role: 'admin', isOfProject: true });
  const past = mayRead === undefined ? await frozenBefore(look) : [];
  return {
    title: 'Freezes',
    section: 'Freezes',
    sentence: frozen === undefined ? 'Nothing is frozen.' : `${frozen.by} froze the project: ${frozen.because}.`,
    main: html`<div id="freezes" data-part>
<p>A freeze stops starts and promotions. Rollbacks go on: what does harm is always taken back.</p>
<p class="actions">${frozen === undefined ? freeze(given) : thaw(given, frozen.because)}</p>
${frozen?.until === undefined ? '' : html`<p>It ends by itself ${ago(frozen.until, now)}.</p>`}
${
  mayRead === undefined
    ? table('frozen-before', 'Freezes and thaws, the newest first', {
        rows: past,
        empty: 'Nobody froze this project yet.',
        columns: [
          { name: 'When', show: ({ at }) => ago(at, now) },
          { name: 'What', show: ({ signal }) => (signal.type === 'thawRequested' ? 'thawed' : 'frozen') },
          { name: 'By', show: ({ actor }) => actor.subject },
          { name: 'Why', show: ({ signal }) => signal.freeze?.because ?? '–' },
        ],
      })
    : html`<p class="quiet">Earlier freezes are in the audit: to read them ${mayRead}.</p>`
}
</div>`,
  };
};

type FreezeEntry = Omit<Entry, 'signal'> & {
  readonly signal: { readonly type: string; readonly freeze?: { readonly because: string } };
};

const pagesRead = 10;

/** Entries of a stream that are looked for, from a cursor on; of a long history as far as a page may look. */
async function entriesFound<Of>(
  look: Look,
  { stream, cursor: first }: { readonly stream: string; readonly cursor?: string },
  isWanted: (entry: Of) => boolean,
): Promise<{ readonly entries: readonly Of[]; readonly next?: string }> {
  const found: Of[] = [];
  let cursor = first;
  for (let page = 0; page < pagesRead; page += 1) {
    const query = new URLSearchParams({ stream, ...(cursor === undefined ? {} : { cursor }) });
    const read = await look.find<{ readonly entries: readonly Of[]; readonly next?: string }>(
      `/v1/audit/entries?${query}`,
    );
    found.push(...(read?.entries ?? []).filter(isWanted));
    cursor = read?.next;
    if (cursor === undefined) break;
  }
  return { entries: found, ...(cursor === undefined ? {} : { next: cursor }) };
}

/** What the history of the project says of freezes. */
async function frozenBefore(look: Look): Promise<readonly FreezeEntry[]> {
  const { entries } = await entriesFound<FreezeEntry>(look, { stream: 'project' }, ({ signal }) =>
    /^(freeze|thaw)Requested$/.test(signal.type),
  );
  return [...entries].reverse().slice(0, 50);
}

interface Report {
  readonly ok: boolean;
  readonly streams: number;
  readonly entries: number;
  readonly heads: readonly (readonly [string, number, string])[];
  readonly problems: readonly { readonly stream: string; readonly problem: string }[];
  readonly next?: string;
}

export const audit: View = async (given) => {
  const { look, query, caller } = given;
  const stream = query.get('stream');
  if (stream !== null && stream !== '') return entriesOf(given, stream);
  const refused = mayNot(caller, { role: 'operator' });
  const report = query.get('check') === 'yes' && refused === undefined ? await checked(look) : undefined;
  return {
    title: 'Audit',
    section: 'Audit',
    // A check reads the whole history: it is made when somebody asks for it.
    isStill: report !== undefined,
    sentence:
      report === undefined
        ? 'Every decision is an entry, and each entry holds the hash of the one before it.'
        : report.ok
          ? `${report.entries} entries of ${report.streams} streams were checked: the history is whole.`
          : `${report.problems.length} of ${report.streams} streams are not what they should be.`,
    main: html`${report === undefined ? checkLink(refused) : reportOf(report)}
${section('streams', 'Read the history', await streamLinks(given))}
${section('verify', 'Check it yourself', html`<p>The root is one hash over the newest entry of every stream. Keep it elsewhere: whoever changes the history later cannot make it fit.</p>`, command('serin audit verify --json > root.json'), command('serin audit verify --against root.json'), html`<p>What was exported is checked without the server:</p>`, command('serin audit export model/<model> > history.ndjson'), command('serin audit verify --file history.ndjson'))}`,
  };
};

const checkLink = (refused: string | undefined): Part =>
  refused === undefined
    ? html`<p><a class="button" href="?check=yes">Check the whole history now</a></p>`
    : html`<p class="refused">To check the history ${refused}.</p>`;

const reportOf = ({ ok, heads, problems }: Report): Part =>
  html`<p>${badge(ok ? 'whole' : 'failed')} Root <code class="wide" id="root">${rootOf(heads)}</code></p>
${
  ok
    ? ''
    : table('problems', 'What is wrong', {
        rows: problems,
        empty: '',
        columns: [
          { name: 'Stream', show: ({ stream }) => stream },
          { name: 'Problem', show: ({ problem }) => problem },
        ],
      })
}
<p><a class="button" href="?check=yes">Check again</a></p>`;

/** All streams, page by page, as `serin audit verify` does it. */
async function checked(look: Look): Promise<Report> {
  let sum: Report = { ok: true, streams: 0, entries: 0, heads: [], problems: [] };
  let cursor: string | undefined;
  do {
    const page = await look.get<Report>(
      `/v1/audit/verify${cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`}`,
    );
    sum = {
      ok: sum.ok && page.ok,
      streams: sum.streams + page.streams,
      entries: sum.entries + page.entries,
      heads: [...sum.heads, ...page.heads],
      problems: [...sum.problems, ...page.problems],
    };
    cursor = page.next;
  } while (cursor !== undefined);
  return sum;
}

async function streamLinks({ look, caller, query }: Parameters<View>[0]): Promise<Part> {
  const refused = mayNot(caller, { role: 'admin' });
  if (refused !== undefined)
    return html`<p class="refused">To read entries ${refused}: configs in them show their environments.</p>`;
  const { models } = await look.get<Status>('/v1/status');
  const own = caller.models === undefined ? ['project', 'access'] : [];
  const names = [...own, ...models.map(({ model }: ModelRow) => `model/${model}`)];
  return html`<ul class="inline">${names.map((name) => html`<li><a href="${withQuery(query, { stream: name, check: undefined })}">${name}</a> (<a href="${withQuery(query, { stream: name, by: 'people', check: undefined })}">what people did</a>)</li>`)}</ul>
<form method="get" class="filter"><label for="stream">Another stream</label> <input id="stream" name="stream" placeholder="run/run_…" required> <button type="submit">Read</button></form>`;
}

interface Signalled extends Entry {
  readonly signal: Entry['signal'] & {
    readonly type?: string;
    readonly version?: number;
    readonly approved?: boolean;
    readonly note?: string;
    readonly because?: string;
    readonly freeze?: { readonly because?: string };
  };
}

/** Serin's own entries are by far the most. */
const isByPerson = ({ actor }: Signalled): boolean => actor.subject !== 'serin';

function askedText({ type = '', version, approved }: Signalled['signal']): string {
  const what = approved === false ? 'rejection given' : type === 'dataHinted' ? 'data dropped' : wordsOf(type);
  return version === undefined ? what : `${what}, v${version}`;
}

async function entriesOf(given: Parameters<View>[0], stream: string): ReturnType<View> {
  const { look, query, now } = given;
  const asked = { stream, ...(query.get('cursor') ? { cursor: query.get('cursor') ?? '' } : {}) };
  const byPeople = query.get('by') === 'people';
  const { entries, next } = byPeople
    ? await entriesFound<Signalled>(look, asked, isByPerson)
    : await look.get<{ entries: readonly Signalled[]; next?: string }>(
        `/v1/audit/entries?${new URLSearchParams(asked)}`,
      );
  const some = `Entries ${entries[0]?.seq} to ${entries.at(-1)?.seq}`;
  return {
    title: `History of ${stream}`,
    section: 'Audit',
    isStill: true,
    sentence: `${entries.length === 0 ? 'No entries of' : byPeople ? 'What people did to' : `${some} of`} ${stream}, the oldest first.`,
    main: html`<p><a href="${given.to('/audit')}">Audit</a>${stream.startsWith('model/') ? html` · <a href="${given.to(modelPath(stream.slice(6)))}">${stream.slice(6)}</a>` : ''} · <a href="${withQuery(query, { by: byPeople ? undefined : 'people', cursor: undefined })}">${byPeople ? 'all entries' : 'what people did'}</a></p>${table(
      'entries',
      `Entries of ${stream}`,
      {
        rows: entries,
        empty: 'There is no entry here.',
        keyOf: ({ seq }) => seq,
        columns: [
          { name: 'Entry', show: ({ seq }) => seq },
          { name: 'When', show: ({ at }) => ago(at, now) },
          { name: 'Who', show: ({ actor }) => actor.subject },
          { name: 'What', show: ({ signal }) => askedText(signal) },
          { name: 'Why', show: ({ signal }) => signal.note ?? signal.because ?? signal.freeze?.because ?? '–' },
          { name: 'Hash', show: ({ hash }) => html`<code title="${hash}">${digestText(hash)}</code>`, isMinor: true },
          {
            name: 'All of it',
            show: ({ seq, signal, patch }) =>
              html`<details id="entry-${seq}"><summary>Change</summary><pre tabindex="0">${JSON.stringify({ signal, patch }, null, 2)}</pre></details>`,
          },
        ],
      },
    )}${pager(query, next)}`,
  };
}

interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly models?: readonly string[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt?: string;
}

export const tokens: View = async (given) => {
  const { look, now } = given;
  const { tokens: rows } = await look.get<{ readonly tokens: readonly Token[] }>('/v1/tokens');
  return {
    title: 'Tokens',
    section: 'Tokens',
    sentence:
      rows.length === 0
        ? 'There is only the first administrator’s token.'
        : `${countText(rows.length, 'token')}, beside the first administrator’s.`,
    main: html`<div id="tokens-page" data-part><p class="actions">${createToken(given, look.revisionOf('/v1/tokens'))}</p>${table(
      'tokens',
      'Tokens; nobody can read their texts again',
      {
        rows,
        keyOf: ({ id }) => id,
        empty: 'Create one for each person and each tool: the record then says who did what.',
        columns: [
          { name: 'Name', show: ({ name }) => name },
          { name: 'Role', show: ({ role }) => role },
          { name: 'Models', show: ({ models }) => models?.join(', ') ?? 'all' },
          { name: 'Made', show: ({ createdAt, createdBy }) => html`${ago(createdAt, now)} by ${createdBy}` },
          { name: 'Expires', show: ({ expiresAt }) => (expiresAt === undefined ? 'never' : ago(expiresAt, now)) },
          { name: 'Id', show: ({ id }) => html`<code title="${id}">${shortId(id)}</code>`, isMinor: true },
          { name: 'Change', show: (token) => revokeToken(given, token) },
        ],
      },
    )}</div>`,
  };
};
