/**
 * Makes `now` like `next`, and touches only what differs: focus, selection, scroll positions and opened details stay.
 * Children with an `id` are known by it. What is marked `data-own` belongs to a script and is left alone.
 */
export function morph(now: Element, next: Element): void {
  if (now.isEqualNode(next) || now.hasAttribute('data-own')) return;
  if (now.localName !== next.localName) {
    now.replaceWith(next);
    return;
  }
  for (const { name } of [...now.attributes])
    if (!next.hasAttribute(name) && !isOpened(now, name)) now.removeAttribute(name);
  for (const { name, value } of next.attributes)
    if (now.getAttribute(name) !== value && !isOpened(now, name)) now.setAttribute(name, value);
  morphChildren(now, next);
}

/** Whether it is open is up to whoever looks. */
const isOpened = ({ localName }: Element, attribute: string): boolean =>
  localName === 'details' && attribute === 'open';

function morphChildren(now: Element, next: Element): void {
  let at = now.firstChild;
  for (const wanted of [...next.childNodes]) {
    const known = matching(at, wanted, now);
    if (known === undefined) {
      now.insertBefore(wanted, at);
      continue;
    }
    if (known === at) at = at.nextSibling;
    else now.insertBefore(known, at);
    if (known instanceof Element && wanted instanceof Element) morph(known, wanted);
    else if (known.nodeValue !== wanted.nodeValue) known.nodeValue = wanted.nodeValue;
  }
  while (at !== null) {
    const after: ChildNode | null = at.nextSibling;
    at.remove();
    at = after;
  }
}

/** The child that becomes the wanted one: of the same id, else the next of the same kind. */
function matching(at: ChildNode | null, wanted: ChildNode, now: Element): ChildNode | undefined {
  const id = idOf(wanted);
  if (id !== '') return [...now.children].find((child) => child.id === id);
  return at !== null && at.nodeName === wanted.nodeName && idOf(at) === '' ? at : undefined;
}

const idOf = (node: Node): string => (node instanceof Element ? node.id : '');
