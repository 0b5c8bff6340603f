import { type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isIgnored } from './code.ts';

const foldMs = 150;

export interface Watch {
  /** Watches these folders whole, and the config beside its neighbours. Twice: what is watched is replaced. */
  follow(config: string, folders: readonly string[]): Promise<void>;
  close(): void;
}

/** Calls `changed` once for all changes of a moment. */
export function watchProject(changed: () => void): Watch {
  let watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const stir = () => {
    clearTimeout(timer);
    timer = setTimeout(changed, foldMs);
  };

  function look(folder: string, concerns: (name: string) => boolean): void {
    try {
      const watcher = watch(folder, (_, name) => (name === null || concerns(name) ? stir() : undefined));
      // A folder that goes away is a change that the release reports.
      watcher.on('error', stir);
      watchers.push(watcher);
    } catch {
      stir();
    }
  }

  return {
    async follow(config, folders) {
      const all = (await Promise.all(folders.map(foldersIn))).flat();
      if (closed) return;
      for (const watcher of watchers) watcher.close();
      watchers = [];
      // What a config imports lies beside it, as a rule.
      look(dirname(config), (name) => name === basename(config) || /\.(ts|m?js|json)$/.test(name));
      for (const folder of all) look(folder, (name) => !isIgnored(name));
    },
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const inner = entries
    .filter((entry) => entry.isDirectory() && !isIgnored(entry.name))
    .map(({ name }) => foldersIn(join(folder, name)));
  return [folder, ...(await Promise.all(inner)).flat()];
}
