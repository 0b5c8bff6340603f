import { type FSWatcher, watch } from 'node:fs';
import { join, sep } from 'node:path';
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
  /** New data, or new files of labels; without keys anything may have come. */
  readonly hint: (model: string, keys: readonly string[], type: 'dataHinted' | 'labelsHinted') => void;
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
  const pending = { dataHinted: new Map<string, Keys>(), labelsHinted: new Map<string, Keys>() };
  let routes: Routes | undefined;
  let timer: NodeJS.Timeout | undefined;
  let poll: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    for (const type of ['dataHinted', 'labelsHinted'] as const) {
      const hints = [...pending[type]];
      pending[type].clear();
      for (const [model, keys] of hints) hint(model, keys, type);
    }
  }

  function seen(bucket: string, key: string | undefined): void {
    for (const model of takersOf(routes?.data ?? [], bucket, key))
      pending.dataHinted.set(model, lastOf(pending.dataHinted.get(model), key));
    for (const model of takersOf(routes?.labels ?? [], bucket, key))
      pending.labelsHinted.set(model, allOf(pending.labelsHinted.get(model), key));
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

/** The models that take what lies under a key; without a key, or with a folder that was moved in whole, what may. */
const takersOf = (places: Routes['data'], of: string, key: string | undefined): readonly string[] =>
  places
    .filter(
      ({ bucket, prefix }) =>
        bucket === of && (key === undefined || key.startsWith(prefix) || prefix.startsWith(`${key}/`)),
    )
    .map(({ model }) => model);

type Keys = readonly string[];

const lastOf = (keys: Keys = [], key: string | undefined): Keys =>
  key === undefined ? keys : [...keys, key].slice(-keptKeys);

/** Each file of labels counts: of more than can be named, and beside those without a name, anything may have come. */
const allOf = (keys: Keys | undefined, key: string | undefined): Keys =>
  key === undefined || keys?.length === 0 || keys?.length === keptKeys ? [] : [...(keys ?? []), key];
