import { type FSWatcher, statSync, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { isIgnored } from './code.ts';

const foldMs = 150;

export interface Watch {
  /**
   * Watches these folders whole, and the config beside its neighbours; what is watched already stays so, and no event of
   * it is lost. What was changed before this resolves may go unseen: read afterwards.
   */
  follow(config: string, folders: readonly string[]): Promise<void>;
  close(): void;
}

/** Calls `changed` once for all changes of a moment. */
export function watchProject(changed: () => void): Watch {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let besideConfig: (name: string) => boolean = () => true;
  const stir = () => {
    clearTimeout(timer);
    timer = setTimeout(changed, foldMs);
  };

  /** A folder that was deleted and made again is another one. */
  function look(folder: string, concerns: (name: string) => boolean): string | undefined {
    try {
      const key = `${statSync(folder).ino} ${folder}`;
      if (watchers.has(key)) return key;
      const watcher = watch(folder, (_, name) => (name === null || concerns(name) ? stir() : undefined));
      watcher.on('error', stir);
      watchers.set(key, watcher);
      return key;
    } catch {
      return undefined; // it went away, which its parent has seen and the release reports
    }
  }

  return {
    async follow(config, folders) {
      const all = (await Promise.all(folders.map(foldersIn))).flat();
      if (closed) return;
      const own = dirname(config);
      const named = folders.map((folder) => relative(own, folder).split(sep)[0]);
      // What a config imports lies beside it, as a rule; a code folder may be made later.
      besideConfig = (name) => /\.(ts|m?js|json)$/.test(name) || named.includes(name) || named.includes('');
      const wanted = [
        look(own, (name) => !isIgnored(name) && besideConfig(name)),
        ...all.filter((folder) => folder !== own).map((folder) => look(folder, (name) => !isIgnored(name))),
      ];
      for (const [key, watcher] of watchers) {
        if (wanted.includes(key)) continue;
        watcher.close();
        watchers.delete(key);
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
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
