import { say } from './say.ts';

/** Copies what stands beside a button `.copy`. */
export function copy(): void {
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('.copy') : null;
    const code = button?.parentElement?.querySelector('code');
    if (code === null || code === undefined) return;
    void copied(code).then((done) => {
      if (button !== null) button.textContent = done ? 'Copied' : 'Press Ctrl+C';
      say(done ? 'Copied.' : 'The text is selected; press Ctrl+C.');
      setTimeout(() => {
        if (button !== null) button.textContent = 'Copy';
      }, 2_000);
    });
  });
}

/** Plain http beyond this machine has no clipboard: the text is selected there. */
async function copied(code: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return false;
  }
}
