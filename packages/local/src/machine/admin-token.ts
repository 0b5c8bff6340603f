import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import { writeWhole } from './durable.ts';
import { fileFault, isMissing } from './faults.ts';

/**
 * The admin token of a data directory: made at the first start, durable, and only its owner can read it.
 *
 * An empty file is what an older version left when the power was cut: it lets nobody in, so a new token is made. A file
 * with anything else in it is refused.
 */
export function adminToken(directory: string): { readonly token: string; readonly isNew: boolean } {
  const file = join(directory, 'admin.token');
  const found = textOf(file);
  if (/^srn_[\w-]{32,}$/.test(found)) return { token: found, isNew: false };
  if (found !== '') {
    const mend = 'restore it from a backup, or delete it and start again, which makes a new one';
    throw new Fault('invalid', `${file} does not hold a token; ${mend}`);
  }
  const token = `srn_${randomBytes(24).toString('base64url')}`;
  try {
    writeWhole(file, `${token}\n`, 'replace');
  } catch (error) {
    throw fileFault(error, `writing ${file}`);
  }
  return { token, isNew: true };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isMissing(error)) return '';
    throw fileFault(error, `reading ${file}`);
  }
}
