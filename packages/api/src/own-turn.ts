let last: Promise<void> = Promise.resolve();

/**
 * A turn of the event loop for whoever reads much: one at a time in the whole process, so that between two pieces of work,
 * whoever they are for, requests that wait are served.
 */
export function ownTurn(): Promise<void> {
  last = last.then(() => new Promise((resolve) => setImmediate(resolve)));
  return last;
}
