import { oddsText, percent } from '@serin/core/base/numbers';
import type { Certificate } from '@serin/core/judge/certificate';
import { type History, historyText } from '@serin/core/judge/history';
import { html } from 'hono/html';
import { endedRollouts, isFrozen, rolloutActions } from '../actions.ts';
import type { Caller } from '../frame.ts';
import { ago, badge, command, type Part, section } from '../parts.ts';
import { modelPath, versionPath } from '../paths.ts';
import type { Given, Html, View } from '../views.ts';
import { certificateView } from './certificate.ts';
import { facts, sentenceOf, story } from './facts.ts';
import { type Evidence, rolloutPlots } from './rollout-plots.ts';

interface Rollout {
  readonly id: string;
  readonly model: string;
  readonly kind: 'release' | 'rollback';
  readonly status: string;
  readonly candidate: number;
  readonly stable?: number;
  readonly weight: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly by: string;
  readonly sticky: boolean;
  readonly steps: readonly number[];
  readonly plan: { readonly strategy: string };
  /** What the champion did before. */
  readonly history?: History | 'none';
  readonly certificate?: Certificate;
  readonly story: readonly { readonly at: string; readonly text: string }[];
}
interface Why {
  readonly sentence: string;
  readonly story: Rollout['story'];
}
type ModelNow = Parameters<typeof isFrozen>[0];

/** How a version gets its traffic: what the judge knows, and what it decided. */
export const rollout: View = async (given) => {
  const { look, params, now, to } = given;
  const path = `/v1/rollouts/${encodeURIComponent(params.id ?? '')}`;
  const it = await look.get<Rollout>(path);
  const [why, evidence, model] = await Promise.all([
    look.get<Why>(`/v1/why/${it.id}`),
    look.get<Evidence>(`/v1/rollouts/${it.id}/evidence`),
    look.get<ModelNow>(`/v1/models/${it.model}`),
  ]);
  const version = (number: number) => html`<a href="${to(versionPath(it.model, number))}">v${number}</a>`;
  const isOver = endedRollouts.includes(it.status);
  return {
    title: `${it.kind === 'rollback' ? 'Rollback to' : 'Rollout of'} v${it.candidate} of ${it.model}`,
    section: 'Rollouts',
    sentence: sentenceOf(why.sentence),
    main: html`<div id="state" data-part>${isOver ? '' : html`<p class="actions">${rolloutActions(given, it, { revision: look.revisionOf(path), isFrozen: isFrozen(model) })}</p>`}
${facts([
  ['Model', html`<a href="${to(modelPath(it.model))}">${it.model}</a>`],
  ['State', it.kind === 'rollback' && it.status === 'promoted' ? badge('rolledBack', 'done') : badge(it.status)],
  [it.kind === 'rollback' ? 'Back to' : 'Candidate', version(it.candidate)],
  [
    it.kind === 'rollback' ? 'From' : 'Champion then',
    it.stable === undefined ? 'none: it is the first version' : version(it.stable),
  ],
  it.history === undefined ? undefined : ['Champion before', historyText(it.history)],
  isOver ? undefined : ['Traffic', `${it.weight} %`],
  [
    'Steps',
    `${it.plan.strategy}: ${[...it.steps, 100].map((step) => (step === 0 ? 'a mirror' : `${step} %`)).join(', ')}`,
  ],
  it.sticky ? ['Users', 'each user stays with one model'] : undefined,
  ['Started', html`${ago(it.startedAt, now)} by ${it.by}`],
  it.endedAt === undefined ? undefined : ['Ended', ago(it.endedAt, now)],
])}${whatNow(it, version)}</div>
${section(
  'plots',
  'What the judge knows',
  howToRead(evidence),
  rolloutPlots({
    evidence,
    candidate: `v${it.candidate}`,
    ...(it.stable === undefined ? {} : { stable: `v${it.stable}` }),
    from: Date.parse(it.startedAt),
    to: it.endedAt === undefined ? now : Date.parse(it.endedAt),
  }),
)}
${section('certificate', 'Certificate', it.certificate === undefined ? noCertificate(it) : certificateView(it.certificate))}
${section('story', 'What happened', story(why.story, now))}
${verification(given, it)}`,
  };
};

/** What odds are, where a plot of them follows. */
function howToRead({ points, alpha = 0.01 }: Evidence): Part {
  if (points.length === 0) return '';
  return html`<p class="quiet">Odds of harm of ${oddsText(Math.log(1 / alpha))} are the line at which a candidate is rolled back. One that is no worse than the champion comes that far in at most ${percent(alpha)} of all rollouts.</p>`;
}

/** What a rollout that was taken back leaves behind, and what a person can do. */
function whatNow({ kind, status, candidate, stable }: Rollout, version: (number: number) => Part): Part {
  if (kind === 'rollback' || status !== 'rolledBack') return '';
  return html`<p>${stable === undefined ? 'Nothing serves now.' : html`All traffic went back to ${version(stable)}.`} ${version(candidate)} gets no more traffic until somebody restores it. New data, or a new run, offers another version.</p>`;
}

function noCertificate({ kind, status }: Rollout): Html {
  if (kind === 'rollback') return html`<p>A rollback to a version that served before is not judged.</p>`;
  return endedRollouts.includes(status)
    ? html`<p>It ended without a verdict of the judge.</p>`
    : html`<p>The judge has not decided yet. Its certificate will say on which numbers it did, and what was assumed.</p>`;
}

/** Judges the rollout again in the browser, from the entries as they were written, or has the server do so. */
function verification({ caller, to }: Given, { id, model }: Rollout): Html {
  return html`<section id="verify"><h2>Verify</h2>
<p>Everything above follows from the counts in the journal. Judge the rollout again, and compare each count and each certificate with what was recorded.</p>
<div data-verify="${id}" data-entries="${to(`/v1/audit/entries?stream=${encodeURIComponent(`model/${model}`)}`)}" data-server="${to(`/v1/rollouts/${id}/verification`)}">
<p class="actions"><button type="button" data-verify-here${maySeeEntries(caller) ? '' : html` aria-disabled="true" aria-describedby="verify-refused"`}>Verify in this browser</button>
<button type="button" data-verify-there>Let the server verify</button></p>
${maySeeEntries(caller) ? '' : html`<p class="refused" id="verify-refused">To verify in the browser needs a token with the role admin, because entries show the environments of programs. The server can do it for you.</p>`}
<p data-verify-said role="status"></p></div>
<p>In a terminal:</p>${command(`serin rollouts verify ${id}`)}</section>`;
}

const maySeeEntries = ({ may }: Caller): boolean => may.includes('admin');
