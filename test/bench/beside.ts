import { join } from 'node:path';
import { nextEntry } from '@serin/core/ports/entry';
import type { Head } from '@serin/core/ports/journal';
import { configOf, type Installation, openInstallation } from './installation.ts';
import { count, type Measure, median, ms, percentile, timed } from './measure.ts';
import { startScript, withDirectory } from './processes.ts';

const verifiers = 10;

/** What a caller of the gateway feels while others have the journal verified and the log of events read. */
export function benchBeside(quick: boolean): Promise<readonly Measure[]> {
  const [entries, events] = quick ? [2000, 20_000] : [5000, 100_000];
  return withDirectory(async (directory) => {
    const data = join(directory, 'data');
    const installation = openInstallation({ directory: data });
    await installation.release(configOf(2));
    await fill(installation, entries, events);
    await installation.close();
    const server = await startScript('server.ts', [data]);
    try {
      return [await besideReaders(server.said as Served, entries, events)];
    } finally {
      await server.stop();
    }
  });
}

interface Served {
  readonly url: string;
  readonly token: string;
}

async function besideReaders({ url, token }: Served, entries: number, events: number): Promise<Measure> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  // The gateway answers that nothing is served: its own part of a prediction, without a model's.
  const predict = () =>
    fetch(`${url}/endpoints/nobody/invocations`, { method: 'POST', body: '{}' }).then((it) => it.text());
  const made = await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'viewer', role: 'viewer', models: ['m00001'] }),
  });
  const viewer = ((await made.json()) as { readonly token: string }).token;
  const alone = await timed(300, predict);

  let isOver = false;
  const verify = async (): Promise<number> => {
    const path = '/v1/audit/verify?stream=run%2Frun_long';
    for (let done = 0; ; done += 1) {
      const answer = await fetch(url + path, { headers });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      await answer.text();
      if (isOver) return done + 1;
    }
  };
  const reading = new AbortController();
  const foreign = { authorization: `Bearer ${viewer}` };
  const stream = await fetch(`${url}/v1/events?after=1`, { headers: foreign, signal: reading.signal });
  const read = stream.text().catch(() => '');
  const verified = Array.from({ length: verifiers }, verify);
  const taken = await timed(300, predict);
  isOver = true;
  const times = (await Promise.all(verified)).reduce((sum, done) => sum + done, 0);
  reading.abort();
  await read;

  const worst = Math.max(...taken);
  return {
    what: `a prediction while ${verifiers} readers verify ${count(entries)} entries each and one reads ${count(events)} events that it may not see`,
    goal: 'worst < 250 ms',
    got: `p50 ${ms(median(taken))}, p99 ${ms(percentile(taken, 0.99))}, worst ${ms(worst)}; ${times} verifications`,
    beside: `without them: p50 ${ms(median(alone))}, p99 ${ms(percentile(alone, 0.99))}`,
    met: worst < 250,
  };
}

/** One long stream, and many events of a model. */
async function fill({ ports, database }: Installation, entries: number, events: number): Promise<void> {
  // Filling is not what is measured.
  database.exec('PRAGMA synchronous = OFF');
  const stream = 'run/run_long';
  const actor = { subject: 'serin', issuer: 'engine', role: 'system' } as const;
  let head: Head | undefined;
  for (let seq = 1; seq <= entries; seq += 1) {
    const state = { schema: 1, model: 'm00000', at: seq, note: 'x'.repeat(500), count: seq };
    const entry = nextEntry(head, { stream, at: seq, actor, signal: { type: 'noted' }, state });
    const name = { key: stream, summary: { model: 'm00000', id: 'run_long' } };
    await ports.journal.append(seq - 1, { entry, state, name });
    head = { stream, seq, hash: entry.hash, state };
  }
  const batch = 1000;
  for (let from = 0; from < events; from += batch)
    await ports.bus.publish(
      Array.from({ length: batch }, (_, index) => ({
        ...{ specversion: '1.0', source: 'bench', type: 'dev.serin.run.changed.v1', subject: 'm00000' },
        ...{ id: `e${from + index}`, time: '2026-01-05T12:00:00Z', datacontenttype: 'application/json' },
        data: { model: 'm00000', note: 'x'.repeat(300) },
      })),
    );
  database.exec('PRAGMA synchronous = FULL');
}
