/** Says something to everybody, also to people who do not see the page. */
export function say(text: string): void {
  const place = document.querySelector('#said');
  if (place !== null) place.textContent = text;
}
