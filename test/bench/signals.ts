import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { configOf, modelName, openInstallation } from './installation.ts';
import type { Load, LoadOrder } from './load.ts';
import { count, type Measure, ms } from './measure.ts';
import { cpuMsOf, startScript, withDirectory } from './processes.ts';

const models = Array.from({ length: 50 }, (_, index) => modelName(index));
const resolvedType = 'dev.serin.alert.resolved.v1';
const raisedType = 'dev.serin.alert.raised.v1';

/** Distinct signals over HTTP into the real server, each durable before it is answered, beside bare SQLite commits. */
export function benchSignals(quick: boolean): Promise<readonly Measure[]> {
  return withDirectory(async (directory) => {
    const raw = rawCommits(directory, 1500);
    const installation = openInstallation({ directory: join(directory, 'data') });
    await installation.release(configOf(models.length));
    await installation.close();
    const loads = await underLoad(join(directory, 'data'), quick ? 2000 : 5000);
    const again = rawCommits(directory, 1500);
    checkDurable(join(directory, 'data'), loads);
    return measures((raw + again) / 2, loads);
  });
}

interface Loads {
  readonly resolved: Load;
  readonly raised: Load;
  readonly paced: Load;
  /** CPU of the server's process for each signal of the closed loop, in microseconds. */
  readonly cpuMicros: number;
}

async function underLoad(directory: string, duration: number): Promise<Loads> {
  const server = await startScript('server.ts', [directory]);
  const { port, token } = server.said as { readonly port: number; readonly token: string };
  const load = async (series: string, type: string, length: number, rate?: number): Promise<Load> => {
    const order: LoadOrder = { port, token, type, models, connections: 64, ms: length, series };
    const child = await startScript('load.ts', [JSON.stringify({ ...order, rate })]);
    return child.said as Load;
  };
  try {
    await load('warm', resolvedType, 1500);
    const before = cpuMsOf(server.pid);
    const resolved = await load('closed', resolvedType, duration);
    const cpuMicros = ((cpuMsOf(server.pid) - before) * 1000) / resolved.acknowledged;
    const paced = await load('paced', resolvedType, duration, 1000);
    const raised = await load('raised', raisedType, duration);
    return { resolved, raised, paced, cpuMicros };
  } finally {
    await server.stop();
  }
}

/** Transactions of one small insert, each synced to the disk before the next begins: what SQLite itself can do. */
function rawCommits(directory: string, duration: number): number {
  const database = new DatabaseSync(join(directory, 'raw.sqlite'));
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, text TEXT)',
  );
  const insert = database.prepare('INSERT INTO raw (text) VALUES (?)');
  const text = 'x'.repeat(500);
  const begun = performance.now();
  let commits = 0;
  for (; performance.now() < begun + duration; commits += 1) insert.run(text);
  const perSecond = (commits * 1000) / (performance.now() - begun);
  database.close();
  return perSecond;
}

/** Every acknowledged signal is in the journal exactly once. */
function checkDurable(directory: string, loads: Loads): void {
  const database = new DatabaseSync(join(directory, 'serin.sqlite'), { readOnly: true });
  const inJournal = (type: string, series: string) =>
    Number(
      database
        .prepare(
          `SELECT count(*) AS total FROM entries WHERE stream >= 'model/' AND stream < 'model0'
           AND entry ->> '$.signal.type' = ? AND entry ->> '$.signal.fingerprint' LIKE ?`,
        )
        .get(type, `${series}-%`)?.total,
    );
  const found = {
    closed: inJournal('alertResolved', 'closed'),
    paced: inJournal('alertResolved', 'paced'),
    raised: inJournal('alertRaised', 'raised'),
  };
  database.close();
  const wanted = {
    closed: loads.resolved.acknowledged,
    paced: loads.paced.acknowledged,
    raised: loads.raised.acknowledged,
  };
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`acknowledged ${JSON.stringify(wanted)}, in the journal ${JSON.stringify(found)}`);
  const failures = [loads.resolved, loads.paced, loads.raised].flatMap((load) => Object.entries(load.failures));
  if (failures.length > 0) console.log(`not taken: ${failures.map(([status, times]) => `${times} x ${status}`)}`);
}

function measures(raw: number, { resolved, raised, paced, cpuMicros }: Loads): readonly Measure[] {
  const share = (load: Load) => load.perSecond / raw;
  const beside = (load: Load) => `${share(load).toFixed(2)} of ${count(raw)} bare SQLite commits/s`;
  return [
    {
      what: 'distinct durable signals over HTTP (`alert.resolved`: one commit each)',
      goal: '2,000/s; 0.5 of bare commits',
      got: `${count(resolved.perSecond)}/s, p99 ${ms(resolved.p99)}, ${count(cpuMicros)} µs of CPU each`,
      beside: beside(resolved),
      met: resolved.perSecond >= 2000 && share(resolved) >= 0.5,
    },
    {
      what: 'the same, with an announcement owed and paid for each (`alert.raised`: an event on the bus)',
      goal: 'none',
      got: `${count(raised.perSecond)}/s, p99 ${ms(raised.p99)}`,
      beside: beside(raised),
      met: true,
    },
    {
      what: 'the same (`alert.resolved`), open loop of 1,000/s',
      goal: 'p99 < 100 ms',
      got: `${count(paced.perSecond)}/s, p50 ${ms(paced.p50)}, p99 ${ms(paced.p99)}`,
      beside: 'counted from when each was due',
      met: paced.p99 < 100 && paced.perSecond > 950,
    },
  ];
}
