import type { Actor } from './journal.ts';

/** Who acts where nobody asked: their names stand in records, so no token may have one of them. */
export const engineActor: Actor = { subject: 'serin', issuer: 'engine', role: 'system' };
/** Approves what passed where the config asks for no approval, and ends an approval that came too late. */
export const gateName = 'gate';
export const timeName = 'time';

/** Names that say who acted, and none of them is a person's. */
export const reservedNames: readonly string[] = [
  ...[engineActor.subject, gateName, timeName],
  ...['admin', 'nobody', 'plan', 'registry', 'unknown'],
];
