import { type FSWatcher, watch } from 'node:fs';
import { join, sep } from 'node:path';
import type { Routes } from '@serin/core/route';

/** New objects in the bucket folders, as hints: one per model and moment, however many files came. */
export interface BucketWatch {
  /** Watches these folders, and hints at every model once: what came while nobody watched is found. */
  follow(routes: Routes): void;
  close(): void;
}

interface Options {
  /** Holds one folder per bucket. */
  readonly directory: string;
  readonly hint: (model: string, keys: readonly string[]) => void;
  readonly onFault: (error: unknown) => void;
}

/** Events of one moment are one hint. */
const foldMs = 100;
/** More keys than this say nothing that fewer do not; the last ones may be a marker. */
const keptKeys = 50;
/** Where the system cannot watch a folder (or any more of them) it is looked at this often. */
const pollMs = 15_000;

export function watchBuckets({ directory, hint, onFault }: Options): BucketWatch {
  const watchers = new Map<string, FSWatcher>();
  const pending = new Map<string, string[]>();
  let routes: Routes | undefined;
  let timer: NodeJS.Timeout | undefined;
  let poll: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    const hints = [...pending];
    pending.clear();
    for (const [model, keys] of hints) hint(model, keys);
  }

  function seen(bucket: string, key: string | undefined): void {
    for (const { model, bucket: of, prefix } of routes?.data ?? []) {
      // A folder that is moved in whole is one event, of the folder itself.
      if (of !== bucket || (key !== undefined && !key.startsWith(prefix) && !prefix.startsWith(`${key}/`))) continue;
      const keys = pending.get(model) ?? [];
      pending.set(model, key === undefined ? keys : [...keys, key].slice(-keptKeys));
    }
    timer ??= setTimeout(flush, foldMs).unref();
  }

  function startWatching(bucket: string): void {
    try {
      const watcher = watch(join(directory, bucket), { recursive: true }, (_, file) => {
        if (file?.split(sep).some((part) => part.startsWith('.'))) return;
        seen(bucket, file?.split(sep).join('/'));
      });
      watcher.on('error', (error) => blind(bucket, error));
      watcher.unref();
      watchers.set(bucket, watcher);
    } catch (error) {
      blind(bucket, error);
    }
  }

  /** Too many folders for the system: look at the bucket from time to time instead. */
  function blind(bucket: string, error: unknown): void {
    onFault(error);
    watchers.get(bucket)?.close();
    watchers.delete(bucket);
    poll ??= setInterval(() => {
      for (const { bucket: each } of routes?.data ?? []) if (!watchers.has(each)) seen(each, undefined);
    }, pollMs).unref();
  }

  return {
    follow(next) {
      routes = next;
      const buckets = new Set(next.data.map(({ bucket }) => bucket));
      for (const [bucket, watcher] of watchers) {
        if (buckets.has(bucket)) continue;
        watcher.close();
        watchers.delete(bucket);
      }
      for (const bucket of buckets) {
        if (!watchers.has(bucket)) startWatching(bucket);
        seen(bucket, undefined);
      }
    },
    close() {
      for (const watcher of watchers.values()) watcher.close();
      clearTimeout(timer);
      clearInterval(poll);
    },
  };
}
