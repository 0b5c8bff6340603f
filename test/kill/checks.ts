import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { administrator } from '@serin/api/access';
import { signalIdOf } from '@serin/api/idempotency';
import { sha256Hex } from '@serin/core/base/json';
import type { Audit } from './audit.ts';
import { processesIn } from './jobs.ts';
import type { Load } from './load.ts';
import type { Running } from './machine.ts';
import { modelsOf } from './rest.ts';

/** Signals that were acknowledged, and are not recorded once and once alone. */
export function misrecorded(audit: Audit, load: Load): readonly string[] {
  // All requests of the load carry the first administrator's token.
  const keyed = [...load.keys].map((key) => signalIdOf(administrator.token, key));
  return [...load.signals, ...keyed]
    .filter((id) => audit.recorded(id) !== 1)
    .map((id) => `${id}: ${audit.recorded(id)} records`);
}

/** Objects that were acknowledged and are not there as they were sent. */
export const missingObjects = (load: Load, directory: string): readonly string[] =>
  [...load.objects].flatMap(([key, digest]) => {
    const file = join(directory, 'buckets', 'drops', key);
    try {
      return sha256Hex(readFileSync(file)) === digest ? [] : [`${key} has another content`];
    } catch {
      return [`${key} is gone`];
    }
  });

/** Objects that were acknowledged and are not in the newest dataset version of their model. */
export function missingData(audit: Audit, load: Load, directory: string): readonly string[] {
  return modelsOf(audit).flatMap(({ model, intake }) => {
    const read = (key: string) => JSON.parse(readFileSync(join(directory, 'buckets', 'serin', key), 'utf8'));
    const chunks: readonly string[] = intake.dataset === undefined ? [] : read(intake.dataset.manifest).chunks;
    const listed = new Map<string, string>();
    for (const chunk of chunks) for (const { key, version } of read(chunk).objects) listed.set(key, version);
    const own = [...load.objects].filter(([key]) => key.startsWith(`${model}/`));
    return own
      .filter(([key, digest]) => listed.get(key) !== digest)
      .map(([key]) => `${key} is not in the dataset of ${model}`);
  });
}

/** The champion of `judged` answers, as itself. */
export async function served(audit: Audit, { url }: Running): Promise<readonly string[]> {
  const judged = modelsOf(audit).find(({ model }) => model === 'judged');
  if (judged?.champion === undefined) return ['no version was ever promoted'];
  const response = await fetch(`${url}/endpoints/judged/invocations`, { method: 'POST', body: '{}' });
  const text = await response.text();
  return text.includes(`"version":"${judged.champion}"`)
    ? []
    : [`v${judged.champion} is the champion, the answer is ${response.status} ${text}`];
}

/** Model servers that the database knows; whatever else works in the directory was forgotten. */
export function strays(directory: string): readonly string[] {
  const database = new DatabaseSync(join(directory, 'serin.sqlite'), { readOnly: true });
  const rows = database.prepare('SELECT record FROM model_servers').all();
  database.close();
  const known = new Set(
    rows.map(
      ({ record }) => (JSON.parse(String(record)) as { readonly process?: { readonly pid: number } }).process?.pid,
    ),
  );
  return processesIn(directory)
    .filter((pid) => !known.has(pid))
    .map((pid) => `process ${pid} works there, and nobody knows it`);
}
