/** Puts the address of this server where a command wants it: the server itself does not know by which name it was asked. */
export function address(): void {
  const root = new URL(document.documentElement.dataset.root ?? './', location.href);
  const fill = () => {
    for (const place of document.querySelectorAll<HTMLElement>('[data-address]'))
      place.textContent = new URL(place.dataset.address ?? '', root).href;
  };
  fill();
  document.addEventListener('serin:renewed', fill);
}
