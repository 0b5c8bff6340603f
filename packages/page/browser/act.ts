import { type Action, whyNotId } from '../src/action-shape.ts';
import { made } from './elements.ts';
import { fieldOf } from './fields.ts';
import { freshPage, renew } from './live.ts';
import { say } from './say.ts';
import { changing, root, toSignIn } from './session.ts';

/** An action as its button carries it. */
type Asked = Omit<Action, 'role' | 'refused' | 'tone' | 'isOfProject'>;

/** Opens the dialog of a button; buttons that a renewal brings are heard as well. */
export function act(): void {
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('[data-action]') : null;
    if (button !== null) ask(readAction(button));
  });
}

// Written by `action` on the server.
const readAction = (button: HTMLElement): Asked => JSON.parse(button.dataset.action ?? '{}') as Asked;

/** Shows what will happen, asks for what is needed, and sends it once, however often it is pressed. */
function ask(first: Asked): void {
  let now = first;
  const key = newKey();
  const fields = (first.fields ?? []).map(fieldOf);
  const does = made('p', { id: 'dialog-does' }, first.does);
  const seen = made('p', { className: 'seen' }, first.seen ?? '');
  const problem = made('p', { role: 'alert' });
  const code = made('code', {});
  const confirm = made('button', { type: 'submit', className: 'main' }, first.label);
  const close = made('button', { type: 'button', className: 'plain' }, 'Cancel');
  const form = made('form', { method: 'dialog' });
  form.append(
    made('h2', { id: 'dialog-title' }, first.label),
    does,
    seen,
    ...fields.map(({ row }) => row),
    made('p', { className: 'quiet' }, 'The same on the command line:'),
    commandRow(code),
    problem,
    made('p', { className: 'buttons' }, confirm, close),
  );
  const dialog = made('dialog', { className: 'ask' }, form);
  dialog.setAttribute('aria-labelledby', 'dialog-title');
  dialog.setAttribute('aria-describedby', 'dialog-does');
  const showCommand = () => {
    code.textContent = [now.command, ...fields.flatMap(({ inCommand }) => inCommand())].join(' ');
  };
  let isBusy = false;
  const send = async () => {
    if (isBusy) return;
    isBusy = true;
    confirm.setAttribute('aria-disabled', 'true');
    problem.textContent = 'Sending…';
    const outcome = await sent(now, key, Object.fromEntries(fields.flatMap(({ inBody }) => inBody())));
    isBusy = false;
    confirm.removeAttribute('aria-disabled');
    now = outcome.now ?? now;
    does.textContent = now.does;
    seen.textContent = now.seen ?? '';
    problem.textContent = outcome.problem ?? '';
    if (outcome.isOver === true) confirm.setAttribute('aria-disabled', 'true');
    if (outcome.secret !== undefined) return showOnce(dialog, form, outcome.secret);
    if (outcome.done === undefined) return;
    dialog.close();
    say(outcome.done);
    await renew();
  };
  form.addEventListener('input', showCommand);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (confirm.getAttribute('aria-disabled') !== 'true') void send();
  });
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  showCommand();
  document.body.append(dialog);
  dialog.showModal();
  // A change that is hard to take back is not one Enter away.
  (fields[0]?.control ?? close).focus();
}

interface Outcome {
  /** Said when the dialog has closed. */
  readonly done?: string;
  /** Said in the dialog, which stays. */
  readonly problem?: string;
  /** The action as the page has it now, when it moved on. */
  readonly now?: Asked;
  /** It cannot be done any more. */
  readonly isOver?: true;
  readonly secret?: string;
}

const mostRereads = 5;

/** Sends the change on the revision that was looked at; when that moved on and nothing that was shown did, on the newer one. */
async function sent(asked: Asked, key: string, body: Record<string, unknown>): Promise<Outcome> {
  let now = asked;
  for (let round = 0; round <= mostRereads; round += 1) {
    const response = await request(now, key, body);
    if (response === undefined)
      return { problem: 'The server did not answer. Press again: the change is made once, even if it arrived.' };
    if (response.status === 401) toSignIn();
    const said = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    if (response.status !== 412) return outcomeOf(now, response, said);
    const fresh = await reread(now);
    if (typeof fresh === 'string') return { problem: `It changed meanwhile: ${fresh}`, isOver: true };
    if (fresh.seen !== now.seen || fresh.does !== now.does)
      return { now: fresh, problem: 'It changed meanwhile. Read it again, then decide.' };
    now = fresh;
  }
  return { now, problem: 'It is changing all the time. Try again in a moment.' };
}

function outcomeOf(asked: Asked, response: Response, said: Record<string, unknown>): Outcome {
  const text = (field: string) => (typeof said[field] === 'string' ? String(said[field]) : undefined);
  if (!response.ok) return { problem: withPointers(said, text('detail') ?? `it was answered with ${response.status}`) };
  const secret = asked.showsOnce === undefined ? undefined : text(asked.showsOnce);
  if (secret !== undefined) return { secret };
  const because = text('because');
  return said.outcome === 'ignored' || said.outcome === 'repeated'
    ? { done: `${asked.label}: nothing changed${because === undefined ? '' : `: ${because}`}.` }
    : { done: `${asked.label}: done.` };
}

/** Which field is wrong, in a problem that names some. */
function withPointers({ errors }: Record<string, unknown>, detail: string): string {
  if (!Array.isArray(errors)) return detail;
  return [
    detail,
    ...errors.map(({ pointer, detail: each }) => `${String(pointer).replace(/^\//, '')} ${String(each)}`),
  ].join('; ');
}

async function request(asked: Asked, key: string, body: Record<string, unknown>): Promise<Response | undefined> {
  const { method = 'POST', path, revision } = asked;
  return fetch(root + path.slice(1), {
    method,
    headers: {
      ...changing(),
      ...(method === 'POST' ? { 'idempotency-key': key } : {}),
      ...(revision === undefined ? {} : { 'if-match': `"${revision}"` }),
    },
    ...(method === 'POST' ? { body: JSON.stringify({ ...asked.body, ...body }) } : {}),
  }).catch(() => undefined);
}

/** The same action on the page as it is now; a text: why it is gone. */
async function reread(asked: Asked): Promise<Asked | string> {
  const page = await freshPage();
  const buttons = [...(page?.querySelectorAll<HTMLElement>('[data-action]') ?? [])];
  const found = buttons.map(readAction).find(({ path, method }) => path === asked.path && method === asked.method);
  if (found !== undefined) return found;
  return page?.getElementById(whyNotId(asked))?.textContent ?? 'the page does not offer it any more.';
}

/** The text of a new token, which is shown nowhere else. */
function showOnce(dialog: HTMLDialogElement, form: HTMLFormElement, secret: string): void {
  const code = made('code', {}, secret);
  const close = made('button', { type: 'button', className: 'main' }, 'I have copied it');
  close.addEventListener('click', () => {
    dialog.close();
    void renew();
  });
  form.replaceChildren(
    made('h2', { id: 'dialog-title' }, 'Copy it now'),
    made('p', { id: 'dialog-does' }, 'This text is shown once, and Serin does not keep it.'),
    commandRow(code),
    made('p', { className: 'buttons' }, close),
  );
  form.querySelector('button')?.focus();
}

const commandRow = (code: HTMLElement): HTMLElement =>
  made('p', { className: 'command' }, code, made('button', { type: 'button', className: 'plain copy' }, 'Copy'));

/** Plain http beyond this machine has no `randomUUID`. */
const newKey = (): string =>
  `page-${[...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
