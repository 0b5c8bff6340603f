import { afterAll, expect, test } from 'vitest';
import { type AdapterOf, type Contract, contracts, gapsOf } from './adapters.ts';

type Part = (title: string, body: () => Promise<void>, timeoutMs?: number) => void;

/**
 * `test` for each part of a contract that may be lacking. Where the screen says that an adapter lacks it, the first of
 * its tests has to fail, so that a gap goes when it is one no longer; the others are skipped.
 */
export function partsOf<C extends Contract>(
  contract: C,
  name: AdapterOf<C>,
): Readonly<Record<keyof (typeof contracts)[C], Part>> {
  const gaps = gapsOf(contract, name);
  const shown = new Set<string>();
  afterAll(() => {
    expect(Object.keys(gaps).filter((part) => !shown.has(part))).toEqual([]); // no test is left that needs the gap
  });
  const partOf =
    (part: string): Part =>
    (title, body, timeoutMs) => {
      const isFirst = !shown.has(part);
      shown.add(part);
      const reason = gaps[part];
      if (reason === undefined) test(title, body, timeoutMs);
      else if (isFirst) test.fails(`${title} [fails: ${reason}]`, body, timeoutMs);
      else test.skip(`${title} [skipped: ${reason}]`);
    };
  const parts = Object.keys(contracts[contract]).map((part) => [part, partOf(part)]);
  return Object.fromEntries(parts) as Readonly<Record<keyof (typeof contracts)[C], Part>>; // its own keys
}
