import { agoText } from '@serin/core/base/time';

/** Times count on between two renewals, by the clock of the server. */
export function clock(): void {
  const ahead = Number(document.documentElement.dataset.now) - Date.now();
  const tick = () => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll<HTMLTimeElement>('time[data-ago]')) {
      const text = agoText(Date.parse(time.dateTime), Date.now() + ahead);
      if (time.textContent !== text && !isSelected(time)) time.textContent = text;
    }
  };
  setInterval(tick, 1_000);
}

/** A text that somebody selects must not change below the pointer. */
const isSelected = (node: Node): boolean => {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.containsNode(node, true);
};
