import { countText } from '@serin/core/base/numbers';
import { type GateVerdict, gateText } from '@serin/core/model/run/gate';
import { html } from 'hono/html';
import { mayNot } from '../action.ts';
import { approve, reject, rolloutActions } from '../actions.ts';
import { badge, type Part } from '../parts.ts';
import { modelPath, rolloutPath, versionPath } from '../paths.ts';
import type { Given } from '../views.ts';
import { asksFor, type ModelRow, type Rollout } from './documents.ts';

/** What waits for a person, and what fires: the first thing that one sees, and nothing when all is well. */
export async function attention(
  given: Given,
  models: readonly ModelRow[],
  { rollouts, isFrozen }: { readonly rollouts: ReadonlyMap<string, Rollout>; readonly isFrozen: boolean },
): Promise<Part> {
  const waiting = [
    ...(await Promise.all(
      models.filter((model) => asksFor(model) !== undefined).map((model) => approval(given, model)),
    )),
    ...[...rollouts.values()]
      .filter(({ status }) => status === 'held' || status === 'paused')
      .map((rollout) => stopped(given, rollout, isFrozen)),
    ...models.flatMap((model) => troubles(given, model)),
    ...(await letters(given)),
  ];
  if (waiting.length === 0) return '';
  return html`<section class="attention" aria-labelledby="attention-title"><h2 id="attention-title">Needs a person</h2><ul>${waiting.map((each) => html`<li>${each}</li>`)}</ul></section>`;
}

async function approval(given: Given, row: ModelRow): Promise<Part> {
  const { look, to } = given;
  const number = asksFor(row) ?? 0;
  const path = `/v1/models/${encodeURIComponent(row.model)}/versions/${number}`;
  const version = await look.find<{
    readonly verdict?: GateVerdict;
    readonly lineage: Readonly<Record<string, string>>;
  }>(path);
  const gate = version?.verdict === undefined ? undefined : `The gate ${gateText(version.verdict)}.`;
  const model = { model: row.model, seq: look.revisionOf(path) } as { model: string; seq?: number };
  const pending = {
    number,
    approval: { status: 'pending' },
    ...(version === undefined ? {} : { lineage: version.lineage }),
  };
  return html`<p>${badge('pending', 'approval')} <a href="${to(versionPath(row.model, number))}">v${number} of ${row.model}</a> waits for approval. ${gate ?? ''}</p>
<p class="actions">${approve(given, model, pending, { seen: gate, holds: row.holds === number ? row.firing : undefined })} ${reject(given, model, pending, gate)}</p>`;
}

function stopped(given: Given, rollout: Rollout, isFrozen: boolean): Part {
  const { id, model, candidate, status, weight, because } = rollout;
  const revision = given.look.revisionOf(`/v1/rollouts/${id}`);
  return html`<p>${badge(status)} <a href="${given.to(rolloutPath(id))}">The rollout of v${candidate} of ${model}</a> is ${status} at ${weight} %${because === undefined ? '' : `: ${because}`}.</p>
<p class="actions">${rolloutActions(given, rollout, { revision, isFrozen })}</p>`;
}

/** Troubles that do not end by themselves. */
function troubles({ to }: Given, row: ModelRow): readonly Part[] {
  const link = html`<a href="${to(modelPath(row.model))}">${row.model}</a>`;
  return [
    row.firing === undefined
      ? undefined
      : html`<p>${badge('blocked', 'alert')} ${link}: ${row.firing} fires${row.holds === undefined ? '' : ` and holds v${row.holds}`}.</p>`,
    row.endpoint === 'blocked'
      ? html`<p>${badge('blocked')} ${link}: its endpoint is blocked and waits for somebody to mend it.</p>`
      : undefined,
    row.unready === undefined ? undefined : html`<p>${badge('waiting', 'not ready')} ${link}: ${row.unready}</p>`,
    row.untold === undefined ? undefined : html`<p>${badge('waiting', 'not told')} ${link}: ${row.untold}</p>`,
  ].filter((part) => part !== undefined);
}

async function letters({ look, caller, to }: Given): Promise<readonly Part[]> {
  if (mayNot(caller, { role: 'operator' }) !== undefined) return [];
  const found = await look.find<{ readonly deadLetters: readonly unknown[]; readonly next?: string }>(
    '/v1/dead-letters?status=waiting',
  );
  const count = found?.deadLetters.length ?? 0;
  if (count === 0) return [];
  const many = `${found?.next === undefined ? '' : 'more than '}${countText(count, 'signal')}`;
  return [
    html`<p>${badge('waiting', 'dead letters')} <a href="${to('/dead-letters?status=waiting')}">${many}</a> could not be used.</p>`,
  ];
}
