import { html } from 'hono/html';
import { type Action, type Field, whyNotId } from './action-shape.ts';
import type { Caller } from './frame.ts';
import type { Html } from './views.ts';

/** A button that asks before it changes something. One that is refused says why, and can be reached by keyboard. */
export function action({ caller }: { readonly caller: Caller }, given: Action): Html | Promise<Html> {
  const { label, tone = 'plain' } = given;
  const refused = mayNot(caller, given) ?? given.refused;
  if (refused !== undefined) {
    const id = whyNotId(given);
    return html`<span class="action"><button type="button" class="${tone}" aria-disabled="true" aria-describedby="${id}">${label}</button> <small class="refused" id="${id}">${refused}</small></span>`;
  }
  const { role: _, isOfProject: __, refused: ___, tone: ____, ...told } = given;
  return html`<span class="action"><button type="button" class="${tone}" aria-haspopup="dialog" data-action="${JSON.stringify(told)}">${label}</button></span>`;
}

/** Why this caller may not do it at all; `undefined`: it may. */
export function mayNot(
  { role, may, models }: Caller,
  wanted: { readonly role: string; readonly isOfProject?: boolean },
): string | undefined {
  if (!may.includes(wanted.role)) return `needs a token with the role ${wanted.role}; yours has ${role}`;
  return wanted.isOfProject === true && models !== undefined
    ? `concerns the whole project; your token is for ${models.join(', ')} only`
    : undefined;
}

/** What most changes ask. */
export const becauseField: Field = {
  name: 'because',
  label: 'Reason',
  kind: 'long',
  option: '--because',
  hint: 'Recorded with the change.',
};
