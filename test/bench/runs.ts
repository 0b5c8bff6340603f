import { derivedId, newestFirst } from '@serin/core/base/ids';
import type { Json } from '@serin/core/base/json';
import { nextEntry } from '@serin/core/ports/entry';
import { type Installation, modelName } from './installation.ts';

const batch = 2000;

/** Records of runs that ended long ago, as `record` writes them, one stream each, spread over a thousand models. */
export async function fillRuns({ ports, database }: Installation, runs: number): Promise<void> {
  // Filling is not what is measured.
  database.exec('PRAGMA synchronous = OFF');
  const begun = Date.now() - runs * 60_000;
  for (let from = 0; from < runs; from += batch)
    await Promise.all(Array.from({ length: Math.min(batch, runs - from) }, (_, index) => record(from + index)));
  database.exec('PRAGMA synchronous = FULL');

  function record(index: number): Promise<void> {
    const at = begun + index * 60_000;
    const model = modelName(index % 1000);
    const id = derivedId('run', at, model, index);
    const summary = {
      model,
      id,
      status: 'succeeded',
      startedAt: at,
      endedAt: at + 50_000,
      trigger: 'data',
      dataset: 'd'.repeat(64),
      because: 'passed: auc 0.91 is at least 0.8, and no worse than 0.90 of the champion by more than 0.005',
      version: index,
    };
    const state = {
      schema: 1,
      ...summary,
      trigger: { kind: 'data', by: 'serin' },
      plan: 'p'.repeat(1500),
      revision: 1,
    };
    const stream = `run/${id}`;
    const actor = { subject: 'serin', issuer: 'engine', role: 'system' } as const;
    const entry = nextEntry(undefined, { stream, at, actor, signal: { type: 'recorded', revision: 1 }, state });
    const name = { key: `run/${newestFirst(id)}`, summary: summary as Json };
    return ports.journal.append(0, { entry, state, name });
  }
}
