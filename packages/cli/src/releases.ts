import { resolve } from 'node:path';
import { codeFolders } from '@serin/core/config/config';
import type { Client } from './client.ts';
import type { CodeFile } from './code.ts';
import { loadConfig } from './config-file.ts';
import { echoesOf } from './echo.ts';
import { asFailure, failureText } from './failure.ts';
import { type Prepared, prepareRelease, uploadCode } from './release.ts';
import { watchProject } from './watch.ts';

export interface Releases {
  /** Nothing new is begun; resolves when the release under way has ended. */
  close(): Promise<void>;
}

interface Given {
  readonly config: string;
  readonly client: Client;
  /** Called before a release: it must find what it needs. */
  readonly prepare: (prepared: Prepared) => Promise<void>;
  readonly released: (prepared: Prepared) => void;
  /** Only files changed that were written because of the last release: they make none. */
  readonly echoed: (files: readonly CodeFile[]) => void;
  /** With the digest that stays released, if there is one. The same failure is told once, until a release succeeds. */
  readonly failed: (error: unknown, before: string | undefined) => void;
}

/** Releases a config now and whenever it or its code changes: one at a time, and the newest state wins. */
export function releases({ config, client, prepare, released, echoed, failed }: Given): Releases {
  let current: Prepared | undefined;
  let failure: string | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let folders: readonly string[] = [];
  const watch = watchProject(stir);

  function stir(): void {
    if (closed) return;
    again = true;
    running ??= drain().finally(() => {
      running = undefined;
    });
  }

  async function drain(): Promise<void> {
    while (again && !closed) {
      again = false;
      await once();
    }
  }

  async function once(): Promise<void> {
    try {
      // Watching begins before the reading: a change in between is seen as one, and the config is then read again.
      await watch.follow(config, folders);
      const { parsed, directory } = await loadConfig(config);
      folders = codeFolders(parsed).map((folder) => resolve(directory, folder));
      await watch.follow(config, folders);
      const prepared = await prepareRelease(config);
      const echoes = current === undefined ? [] : await echoesOf(current, prepared);
      if (echoes.length > 0) echoed(echoes);
      else if (prepared.digest !== current?.digest) await release(prepared);
      failure = undefined;
    } catch (error) {
      const text = failureText(asFailure(error));
      if (text !== failure) failed(error, current?.digest);
      failure = text;
    }
  }

  async function release(prepared: Prepared): Promise<void> {
    await uploadCode(client, prepared.folders.values());
    await prepare(prepared);
    await client.send({ method: 'POST', path: '/v1/releases', body: { config: prepared.compiled } });
    current = prepared;
    released(prepared);
  }

  stir();
  return {
    async close() {
      closed = true;
      watch.close();
      await running;
    },
  };
}
