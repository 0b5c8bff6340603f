import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../installed.ts';

export interface Calls {
  count(id: string, who: string, isAnswered: boolean): void;
  /** Writes `.installed/calls/<suite>.json`. */
  save(): void;
}

interface Count {
  answered: number;
  refused: number;
}

/** By suite: one that starts several servers has one count. */
const suites = new Map<string, Map<string, Count>>();

/** Counts the calls of a suite: by method, then by who answered. */
export function callsOf(suite: string): Calls {
  const counts = suites.get(suite) ?? new Map<string, Count>();
  suites.set(suite, counts);
  return {
    count(id, who, isAnswered) {
      const key = `${id} ${who}`;
      const found = counts.get(key) ?? { answered: 0, refused: 0 };
      found[isAnswered ? 'answered' : 'refused'] += 1;
      counts.set(key, found);
    },
    save() {
      const calls: Record<string, Record<string, Count>> = {};
      for (const [key, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const [id = '', ...who] = key.split(' ');
        calls[id] = { ...calls[id], [who.join(' ')]: count };
      }
      mkdirSync(paths.calls, { recursive: true });
      writeFileSync(join(paths.calls, `${suite}.json`), `${JSON.stringify({ suite, calls }, null, 2)}\n`);
    },
  };
}
