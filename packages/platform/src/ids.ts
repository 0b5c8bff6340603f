import { randomUUID } from 'node:crypto';

/** New sortable ids, `<prefix>_<UUIDv7>`. */
export const newIds =
  (now: () => number) =>
  (prefix: string): string =>
    `${prefix}_${uuidv7(now())}`;

function uuidv7(at: number): string {
  // Node keeps a stock of random UUIDs, and asks the system for each of `randomBytes`; digits 12 and 16 are fixed.
  const random = randomUUID().replaceAll('-', '');
  return `${at.toString(16).padStart(12, '0')}7${random.slice(0, 12)}${random.slice(17, 24)}`;
}
