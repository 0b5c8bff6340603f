/** Thrown by a handler that has done its work: the connection breaks instead of an answer. */
export class LostAnswer extends Error {}

/** Several fakes as one; a call that two of them have is an error. */
export function combined<Handler>(
  ...parts: readonly Readonly<Record<string, Handler>>[]
): Readonly<Record<string, Handler>> {
  const all: Record<string, Handler> = {};
  for (const [call, handler] of parts.flatMap((part) => Object.entries(part))) {
    if (all[call] !== undefined) throw new Error(`two fakes have ${call}`);
    all[call] = handler;
  }
  return all;
}
