import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { sha256Hex } from '@serin/core/base/json';
import { type CompiledConfig, compile, parseConfig } from '@serin/core/config/config';
import type { Running } from './machine.ts';

const folder = join(import.meta.dirname, 'project');

/** Objects of the project's own bucket that hold the code, blobs first. */
export function codeObjects(): {
  readonly digest: string;
  readonly objects: readonly { readonly key: string; readonly content: Uint8Array }[];
} {
  const contents = readdirSync(folder).map((path) => ({ path, content: readFileSync(join(folder, path)) }));
  const files = contents.map(({ path, content }) => ({
    path,
    blob: sha256Hex(content),
    bytes: content.length,
    executable: false,
  }));
  const manifest = Buffer.from(JSON.stringify({ files }));
  const digest = sha256Hex(manifest);
  const blobs = contents.map(({ content }) => ({ key: `code/blobs/${sha256Hex(content)}`, content }));
  return { digest, objects: [...blobs, { key: `code/${digest}.json`, content: manifest }] };
}

export const alarmTypes = { raised: 'com.example.alarm', resolved: 'com.example.alarm.over' };

/**
 * `judged`: a gate against the champion, an endpoint, a canary, alerts that roll back. `approved`: a person's yes, no
 * endpoint, alerts that start runs. Times are as short as they may be.
 */
export function compiledConfig(digest: string, executions: string): CompiledConfig {
  const environment = { KILL_EXECUTIONS: executions };
  const run = (script: string) => ({ command: [process.execPath, script], environment });
  const settle = { quiet: '100ms', atMost: '500ms' };
  const quickly = { bake: '1s', tick: '1s', guard: '1s', readyWithin: '60s', atMost: '2s', warmUp: 0 };
  const parsed = parseConfig({
    project: 'kill',
    concurrentRuns: 2,
    models: {
      judged: {
        data: { bucket: 'drops', prefix: 'judged/', settle },
        split: { holdout: { by: 'manifest', train: 'train/', holdout: 'holdout/' } },
        train: { code: './project', ...run('train.mjs') },
        evaluate: run('evaluate.mjs'),
        gate: { score: { direction: 'up', atLeast: 0, noWorseBy: 1 } },
        serve: run('serve.mjs'),
        rollout: { strategy: 'canary', steps: [50], ...quickly, onInconclusive: 'promote', maxHold: '5s' },
        alerts: { onAlert: 'rollback', types: [alarmTypes] },
      },
      approved: {
        data: { bucket: 'drops', prefix: 'approved/', settle },
        train: { code: './project', ...run('train.mjs') },
        approval: { required: true },
        monitor: { cooldown: '1s', retrainBudget: { runs: 1000, per: '1d' } },
        alerts: { onAlert: 'run', types: [alarmTypes] },
      },
    },
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return compile(parsed.parsed, new Map([['./project', digest]]), 'local');
}

/** Code and config: what a person releases before anything can happen. */
export async function release(
  server: Pick<Running, 'url' | 'token'>,
  executions: string,
  changed = (config: CompiledConfig): CompiledConfig => config,
): Promise<void> {
  const { digest, objects } = codeObjects();
  const headers = { authorization: `Bearer ${server.token}` };
  const refuse = async (response: Response) => {
    if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  };
  for (const { key, content } of objects)
    await fetch(`${server.url}/v1/buckets/serin/objects/${key}`, {
      method: 'PUT',
      headers,
      body: Buffer.from(content),
    }).then(refuse);
  const body = JSON.stringify({ config: changed(compiledConfig(digest, executions)) });
  const json = { ...headers, 'content-type': 'application/json' };
  await fetch(`${server.url}/v1/releases`, { method: 'POST', headers: json, body }).then(refuse);
}
