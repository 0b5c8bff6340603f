import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { paths } from './installed.ts';

interface Counted {
  readonly who: string;
  readonly isAnswered: boolean;
  /** By whose description the request and the answer were checked. */
  readonly checkedBy: string;
}

export interface Calls {
  count(id: string, counted: Counted): void;
  /** Writes `.installed/calls/<suite>.<file of the tests>.json`: two files may share a world. */
  save(): void;
}

interface Count {
  answered: number;
  refused: number;
}

interface Counts {
  readonly byWho: Map<string, Count>;
  readonly checkedBy: Map<string, string>;
}

/** By suite: one that starts several servers has one count. */
const suites = new Map<string, Counts>();

/** Counts the calls of a suite: by method, then by who answered. */
export function callsOf(suite: string): Calls {
  const { byWho, checkedBy } = suites.get(suite) ?? { byWho: new Map(), checkedBy: new Map() };
  suites.set(suite, { byWho, checkedBy });
  return {
    count(id, { who, isAnswered, checkedBy: by }) {
      checkedBy.set(id, by);
      // An id may have a space; this letter stands in none.
      const key = `${id}\n${who}`;
      const found = byWho.get(key) ?? { answered: 0, refused: 0 };
      found[isAnswered ? 'answered' : 'refused'] += 1;
      byWho.set(key, found);
    },
    save() {
      const calls: Record<string, Record<string, Count>> = {};
      for (const [key, count] of [...byWho].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const [id = '', who = ''] = key.split('\n');
        calls[id] = { ...calls[id], [who]: count };
      }
      mkdirSync(paths.calls, { recursive: true });
      writeFileSync(
        join(paths.calls, `${suite}.${basename(expect.getState().testPath ?? '', '.test.ts')}.json`),
        `${JSON.stringify({ suite, calls, checkedBy: Object.fromEntries([...checkedBy].sort()) }, null, 2)}\n`,
      );
    },
  };
}
