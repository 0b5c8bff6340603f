import process from 'node:process';
import { describe, test } from 'vitest';
import { usual, whyPartsMissing } from './installed.ts';

/** `describe` for a suite that needs the usual emulators of AWS, and `more`. Without them it is skipped, or fails. */
export const emulated = (name: string, suite: () => void, more: readonly string[] = []): void =>
  withParts(name, [...usual.aws, ...more], suite);

/** The same for GCP: npm's packages of functions/gcp and Google's discovery documents, and `more`. */
export const emulatedGcp = (name: string, suite: () => void, more: readonly string[] = []): void =>
  withParts(name, [...usual.gcp, ...more], suite);

/** The same for Azure: npm's packages of functions/azure, and `more`. */
export const emulatedAzure = (name: string, suite: () => void, more: readonly string[] = []): void =>
  withParts(name, [...usual.azure, ...more], suite);

/**
 * `describe` for a suite that needs parts of what `npm run emulators` installs. Without one of them the suite is skipped
 * and its name says why; with `SERIN_REQUIRE=emulators` it fails.
 */
export function withParts(name: string, parts: readonly string[], suite: () => void): void {
  const missing = whyPartsMissing(parts);
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
