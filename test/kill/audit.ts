import { DatabaseSync } from 'node:sqlite';
import { canonical } from '@serin/core/base/json';
import { chainProblem, fold } from '@serin/core/ports/entry';
import type { Entry } from '@serin/core/ports/journal';

interface Known {
  readonly seq: number;
  readonly hash: string;
  readonly state: unknown;
}

/** Reads the journal of a server from outside, and holds each reading against the one before. */
export interface Audit {
  /** Reads what was appended since the last reading; answers what is wrong. */
  read(whole: 'new' | 'integrity'): readonly string[];
  state(stream: string): unknown;
  streams(prefix: string): readonly string[];
  /** How often a signal of people and tools was recorded in the streams that decide. */
  recorded(id: string): number;
  /** Events of entries that were read, and that are not in the log of the bus. */
  unpublished(): readonly string[];
  readonly entries: number;
}

/**
 * The journal is never opened for writing, and may be read while the server runs.
 *
 * The history is append-only when each reading chains to the hash that the reading before ended with; each state is
 * folded on from the state of the reading before, so a patch that was lost shows as a head that differs. `mayFail` says
 * for which reasons a job may fail.
 */
export function auditOf(file: string, mayFail: (reason: string) => boolean = () => false): Audit {
  const known = new Map<string, Known>();
  const times = new Map<string, number>();
  const events: string[] = [];
  let entries = 0;

  function advance(database: DatabaseSync, stream: string, problems: string[]): void {
    const before = known.get(stream) ?? { seq: 0, hash: '', state: {} };
    const head = database.prepare('SELECT seq, hash, state FROM heads WHERE stream = ?').get(stream);
    const rows = database.prepare('SELECT entry FROM entries WHERE stream = ? AND seq > ? ORDER BY seq');
    const added = rows.all(stream, before.seq).map((row) => JSON.parse(String(row.entry)) as Entry);
    const broken = chainProblem(added, before.hash, before.seq);
    if (broken !== undefined) problems.push(broken);
    const state = fold(added, before.state);
    const last = added.at(-1) ?? before;
    if (Number(head?.seq) !== last.seq || head?.hash !== last.hash)
      problems.push(`${stream}: the head is at ${head?.seq}, its last entry is ${last.seq}`);
    if (canonical(state) !== canonical(JSON.parse(String(head?.state ?? '{}'))))
      problems.push(`${stream}: its head at ${last.seq} is not the fold of its patches`);
    for (const entry of added) note(entry, problems);
    entries += added.length;
    known.set(stream, { seq: last.seq, hash: last.hash, state });
  }

  function note(entry: Entry, problems: string[]): void {
    const signal = entry.signal as { readonly id?: string };
    if (signal.id !== undefined && decides(entry.stream)) times.set(signal.id, (times.get(signal.id) ?? 0) + 1);
    events.push(...entry.events.map((_, index) => `${entry.stream}/${entry.seq}/${index}`));
    problems.push(...problemsOf(entry, mayFail));
  }

  function reading<Answer>(work: (database: DatabaseSync) => Answer): Answer {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  }

  return {
    read: (whole) =>
      reading((database) => {
        const problems: string[] = [];
        if (whole === 'integrity') {
          const verdict = Object.values(database.prepare('PRAGMA integrity_check').get() ?? {})[0];
          if (verdict !== 'ok') problems.push(`integrity_check: ${verdict}`);
        }
        database.exec('BEGIN');
        const heads = database.prepare('SELECT stream, seq FROM heads').all();
        for (const { stream, seq } of heads)
          if (known.get(String(stream))?.seq !== seq) advance(database, String(stream), problems);
        const there = new Set(heads.map(({ stream }) => String(stream)));
        for (const stream of known.keys()) if (!there.has(stream)) problems.push(`${stream} is gone`);
        for (const { name, weights } of database.prepare('SELECT name, weights FROM endpoints').all())
          problems.push(...weightProblems(`the route of ${name}`, JSON.parse(String(weights))));
        return problems;
      }),
    state: (stream) => known.get(stream)?.state,
    streams: (prefix) => [...known.keys()].filter((stream) => stream.startsWith(prefix)),
    recorded: (id) => times.get(id) ?? 0,
    unpublished: () =>
      reading((database) => {
        const published = new Set(
          database
            .prepare('SELECT id FROM bus_log')
            .all()
            .map(({ id }) => String(id)),
        );
        return events.filter((id) => !published.has(id)).map((id) => `${id} was never published`);
      }),
    get entries() {
      return entries;
    },
  };
}

const decides = (stream: string): boolean => stream === 'project' || stream.startsWith('model/');

interface Told {
  readonly type: string;
  readonly observation?: 'absent' | { readonly weights: Readonly<Record<string, number>> };
  readonly description?: { readonly status: string; readonly reason?: string };
}

/** What no entry may say: traffic that is not whole, a job that failed (the scripts of the project never do). */
function problemsOf({ stream, seq, signal }: Entry, mayFail: (reason: string) => boolean): readonly string[] {
  const { type, observation, description } = signal as unknown as Told;
  if (type === 'endpointObserved' && typeof observation === 'object')
    return weightProblems(`${stream} at ${seq}`, observation.weights);
  if (type === 'jobDescribed' && description?.status === 'failed' && !mayFail(description.reason ?? ''))
    return [`${stream} at ${seq}: a job failed: ${description.reason?.slice(0, 500)}`];
  return [];
}

function weightProblems(where: string, weights: Readonly<Record<string, number>>): readonly string[] {
  const values = Object.values(weights);
  const sum = values.reduce((total, weight) => total + weight, 0);
  const whole = values.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= 100);
  return whole && (sum === 100 || values.length === 0) ? [] : [`${where}: weights ${JSON.stringify(weights)}`];
}
