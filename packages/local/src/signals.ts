import { type FSWatcher, watch } from 'node:fs';
import { join, sep } from 'node:path';
import { type Addressed, type Fact, signalsOf } from '@serin/core/inbound/fact';
import { foldHints } from '@serin/core/inbound/hints';
import type { Routes } from '@serin/core/inbound/route';

/** New objects in the bucket folders, as hints: one per model, kind and moment, however many files came. */
export interface BucketWatch {
  /** Watches these folders, and hints at every model once, of data and of labels: what came while nobody watched is found. */
  follow(routes: Routes): void;
  close(): void;
}

interface Options {
  /** Holds one folder per bucket. */
  readonly directory: string;
  /** New data, or new files of labels. */
  readonly hint: (hint: Addressed) => void;
  readonly onFault: (error: unknown) => void;
}

/** Events of one moment are one hint. */
const foldMs = 100;
/** Of a drop of many files no more than this is remembered at once. */
const pendingMost = 200;
/** Where the system cannot watch a folder (or any more of them) it is looked at this often. */
const pollMs = 15_000;

export function watchBuckets({ directory, hint, onFault }: Options): BucketWatch {
  const watchers = new Map<string, FSWatcher>();
  let pending: readonly Addressed[] = [];
  let routes: Routes | undefined;
  let timer: NodeJS.Timeout | undefined;
  let poll: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    const hints = folded(pending);
    pending = [];
    for (const each of hints) hint(each);
  }

  /** Something is new at this path, an object or a folder of them; without a path, anywhere in the bucket. */
  function seen(bucket: string, path: string | undefined): void {
    say({ kind: 'folder', bucket, ...(path === undefined ? {} : { key: path }) });
    if (path !== undefined) say({ kind: 'object', bucket, key: path });
  }

  function say(fact: Fact): void {
    if (routes === undefined) return;
    signalsOf(fact, routes).then((found) => {
      if (found.length === 0) return;
      pending = pending.length < pendingMost ? [...pending, ...found] : folded([...pending, ...found]);
      timer ??= setTimeout(flush, foldMs).unref();
    }, onFault);
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
      for (const each of bucketsOf(routes)) if (!watchers.has(each)) seen(each, undefined);
    }, pollMs).unref();
  }

  return {
    follow(next) {
      routes = next;
      const buckets = bucketsOf(next);
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

const bucketsOf = (routes: Routes | undefined): ReadonlySet<string> =>
  new Set([...(routes?.data ?? []), ...(routes?.labels ?? [])].map(({ bucket }) => bucket));

const folded = (hints: readonly Addressed[]): readonly Addressed[] =>
  foldHints(hints).map(({ addressed }) => addressed);
