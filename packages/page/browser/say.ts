/** Says something to everybody, also to whoever does not see the page. */
export function say(text: string): void {
  const place = document.querySelector('#said');
  if (place !== null) place.textContent = text;
}
