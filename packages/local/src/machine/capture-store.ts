import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Fault } from '@serin/core/base/fault';
import type { CapturedPage, CapturedQuery } from '@serin/core/ports/captured';
import { type CaptureFile, openCaptureFile } from './capture-file.ts';
import { reading } from './faults.ts';

/** One request as it is written. */
export interface CaptureEntry {
  readonly endpoint: string;
  readonly at: number;
  readonly id: string;
  readonly deployment: string;
  /** `rowsText`, and JSON; without them it is unread. */
  readonly rows?: string;
  readonly answers?: string;
  readonly unread?: string;
  /** What it takes on the disk, about. */
  readonly bytes: number;
  /** As the config says at the time; it holds until the endpoint has another one. */
  readonly keepMs: number;
  readonly atMostBytes: number;
}

export interface CaptureStore {
  /** In one transaction; answers those for which there is no room. Twice: the same as once. */
  write(entries: readonly CaptureEntry[]): ReadonlySet<CaptureEntry>;
  /** Of what was written; the caller knows that no more comes for this window. */
  read(query: CapturedQuery): Promise<CapturedPage>;
  /** NaN when that cannot be read. */
  bytes(endpoint: string): number;
  /** Forgets what is older than it may be, and what is too much, in steps. Twice at once: the same as once. */
  forgetOld(now: number): Promise<void>;
  close(): void;
}

/** A file of its own: a backup has none of it, and who deletes it while no server runs has forgotten all of it at once. */
export const captureFileName = 'captures.sqlite';

/** Steps of forgetting that one write may take: the oldest are many and small, where it would take more. */
const maxSteps = 8;

/** The captured requests of one machine, the oldest of which go first. Its file is made with the first of them. */
export function captureStore(directory: string, warn: (line: string) => void = () => {}): CaptureStore {
  const name = join(directory, captureFileName);
  let opened: CaptureFile | undefined;
  let forgetting: Promise<void> | undefined;
  let isClosed = false;

  function file(): CaptureFile {
    if (isClosed) throw new Fault('unavailable', 'the captured requests are closed; start the server again');
    opened ??= openCaptureFile(name, warn);
    return opened;
  }
  const isThere = () => opened !== undefined || existsSync(name);

  async function forgetAll(now: number): Promise<void> {
    const { endpoints, transact, forget, bytes, leave, shrink, truncateLog } = file();
    // One turn of the event loop a step, in any of which this may be closed.
    const whileTrue = async (step: () => boolean) => {
      while (!isClosed && step()) await nextTurn();
    };
    for (const { endpoint, keepMs, atMostBytes } of endpoints()) {
      await whileTrue(() => transact(() => forget(endpoint, { before: now - keepMs })) > 0);
      await whileTrue(() => bytes(endpoint) > atMostBytes && transact(() => forget(endpoint, {})) > 0);
      if (!isClosed && bytes(endpoint) === 0) leave(endpoint);
    }
    await whileTrue(shrink);
    if (!isClosed) truncateLog();
  }

  return {
    write(entries) {
      const refused = new Set<CaptureEntry>();
      const { transact, forget, bytes, insert, promise } = file();
      transact(() => {
        let steps = maxSteps;
        for (const entry of entries) {
          promise(entry);
          const isFull = () => bytes(entry.endpoint) + entry.bytes > entry.atMostBytes;
          for (; isFull() && steps > 0; steps -= 1) if (forget(entry.endpoint, {}) === 0) break;
          if (isFull()) refused.add(entry);
          else insert(entry);
        }
      });
      return refused;
    },
    async read(query) {
      checkQuery(query);
      return isThere() ? reading(() => file().page(query)) : { items: [] };
    },
    bytes(endpoint) {
      try {
        return isThere() ? file().bytes(endpoint) : 0;
      } catch {
        return Number.NaN;
      }
    },
    async forgetOld(now) {
      if (!isThere()) return;
      forgetting ??= forgetAll(now).finally(() => {
        forgetting = undefined;
      });
      await forgetting;
    },
    close() {
      isClosed = true;
      opened?.close();
    },
  };
}

function checkQuery({ from, to, cursor }: CapturedQuery): void {
  if (!(Number.isFinite(from) && Number.isFinite(to)))
    throw new Fault('invalid', `cannot read the captured requests from ${from} to ${to}; ask for milliseconds`);
  if (cursor !== undefined && !/^\d{1,16} ./.test(cursor))
    throw new Fault('invalid', 'the cursor is not one of captured requests; begin again without one');
}
