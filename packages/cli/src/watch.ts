import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { isIgnoredName, isOwnOutput, walkCode } from './code-files.ts';

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
      const watcher = watch(folder, (_, name) => {
        if (name === null || (concerns(name) && !isOwnOutput(join(folder, name)))) stir();
      });
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
      besideConfig = (name) => /\.(ts|m?js|json|ya?ml)$/.test(name) || named.includes(name) || named.includes('');
      const wanted = [
        look(own, (name) => isConfigOrRules(name) || (!isIgnoredName(name) && besideConfig(name))),
        ...all
          .filter((folder) => folder !== own)
          .map((folder) => look(folder, (name) => isConfigOrRules(name) || !isIgnoredName(name))),
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

const isConfigOrRules = (name: string): boolean => /^(?:serin\.config\.|\.(?:git|serin)ignore$)/.test(name);

/** Those that a release reads; of a folder that it refuses, or that is not there, the release will tell. */
const foldersIn = async (folder: string): Promise<readonly string[]> =>
  (await walkCode(folder).catch(() => undefined))?.folders ?? [folder];
