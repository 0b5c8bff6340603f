import process from 'node:process';
import { describe, test } from 'vitest';
import { whyMissing } from './installed.ts';

/**
 * `describe` for a suite that needs what `npm run emulators` installs: the usual emulators, and `more`. Without it the suite is skipped and its name says
 * why; with `SERIN_REQUIRE=emulators` it fails.
 */
export function emulated(name: string, suite: () => void, more: readonly string[] = []): void {
  const missing = whyMissing(more);
  if (missing === undefined) {
    describe(name, suite);
    return;
  }
  const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('emulators');
  process.stderr.write(`${required ? 'required' : 'skipped'}: ${name}: ${missing}\n`);
  describe(`${name} [${required ? 'required' : 'skipped'}: ${missing}]`, () => {
    test.skipIf(!required)('has its emulators', () => {
      throw new Error(missing);
    });
  });
}
