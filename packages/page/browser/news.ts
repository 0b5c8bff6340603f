import { followEvents, type Told } from './stream.ts';

/**
 * One connection for all tabs of a session: a browser allows six to a server, and each tab with its own would leave none
 * for the seventh. https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes
 */
const ports = new Set<MessagePort>();
let stop: (() => void) | undefined;
let last: Told = 'open';

const tell = (told: Told): void => {
  if (told !== 'news') last = told;
  for (const port of ports) port.postMessage(told);
};

addEventListener('connect', (event) => {
  const port = (event as MessageEvent).ports[0];
  if (port === undefined) return;
  ports.add(port);
  port.addEventListener('message', () => {
    ports.delete(port);
    if (ports.size > 0) return;
    stop?.();
    stop = undefined;
  });
  port.start();
  if (stop === undefined) stop = followEvents('../v1/events', tell);
  else port.postMessage(last);
});
