import { bytesText } from '@serin/core/base/numbers';
import { made } from './elements.ts';
import { renew } from './live.ts';
import { say } from './say.ts';
import { changing, root } from './session.ts';

/** Brings files that are dropped on a form, or chosen there, to where a model takes its data from. */
export function drop(): void {
  const formOf = (event: Event) =>
    event.target instanceof Element ? event.target.closest<HTMLFormElement>('[data-drop]') : null;
  document.addEventListener('change', (event) => {
    const form = formOf(event);
    const input = event.target;
    if (form === null || !(input instanceof HTMLInputElement) || input.files === null) return;
    void bring(form, [...input.files]).then(() => {
      input.value = '';
    });
  });
  for (const name of ['dragover', 'dragleave', 'drop'] as const)
    document.addEventListener(name, (event) => {
      const form = formOf(event);
      if (form === null || form.querySelector('input:disabled') !== null) return;
      event.preventDefault();
      form.classList.toggle('over', name === 'dragover');
      if (name === 'drop') void bring(form, [...(event.dataTransfer?.files ?? [])]);
    });
}

async function bring(form: HTMLFormElement, files: readonly File[]): Promise<void> {
  const output = form.querySelector('output');
  const done: string[] = [];
  for (const file of files) {
    const progress = made('progress', { max: file.size, value: 0 });
    progress.setAttribute('aria-label', file.name);
    output?.replaceChildren(`${file.name} (${bytesText(file.size)}) `, progress);
    const problem = await put(form, file, (bytes) => {
      progress.value = bytes;
    });
    if (problem !== undefined) {
      output?.replaceChildren(made('span', { role: 'alert' }, `${file.name}: ${problem}`));
      return;
    }
    done.push(file.name);
  }
  output?.replaceChildren(`Dropped ${done.join(', ')}.`);
  say(`Dropped ${done.join(', ')}.`);
  await renew();
}

/** Writes one object; answers what went wrong. Only this way of asking tells how much has been sent. */
function put(form: HTMLFormElement, file: File, sent: (bytes: number) => void): Promise<string | undefined> {
  const { drop: path = '', prefix = '' } = form.dataset;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('PUT', root + path.slice(1) + encodeURIComponent(prefix + file.name));
    for (const [name, value] of Object.entries({ ...changing(), 'content-type': 'application/octet-stream' }))
      request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded }) => sent(loaded));
    request.addEventListener('loadend', () => {
      if (request.status >= 200 && request.status < 300) resolve(undefined);
      else resolve(request.status === 0 ? 'the server did not answer; drop it again' : detailOf(request.responseText));
    });
    request.send(file);
  });
}

function detailOf(text: string): string {
  try {
    return String(JSON.parse(text).detail ?? text);
  } catch {
    return text;
  }
}
