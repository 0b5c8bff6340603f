import type { Actor } from './journal.ts';

/** Who acts when no person asked. Their names stand in records, so a token may not have one of them. */
export const engineActor: Actor = { subject: 'serin', issuer: 'engine', role: 'system' };
/** Approves what passed if the config asks for no approval, and ends an approval that came too late. */
export const gateName = 'gate';
export const timeName = 'time';

/** Names that say who acted and are not names of persons. */
export const reservedNames: readonly string[] = [
  ...[engineActor.subject, gateName, timeName],
  ...['admin', 'nobody', 'plan', 'registry', 'unknown'],
];
