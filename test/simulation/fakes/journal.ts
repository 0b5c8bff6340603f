import { Fault } from '@serin/core/base/fault';
import type { Append, Entry, Head, Journal, NameRow } from '@serin/core/ports/journal';
import { byBytes, copyOf, frozen, pageOf } from './pages.ts';
import type { Sync } from './sync.ts';

export interface MemoryJournal extends Sync<Journal> {
  /** Every stream that has a head. */
  streams(): readonly string[];
  /** Oldest first. */
  entries(stream: string): readonly Entry[];
  /** The earliest time at which any stream is due. */
  earliestDue(): number | undefined;
}

interface Stream {
  head: Head;
  readonly entries: Entry[];
  due: number | undefined;
  name: Append['name'];
}

/** What is stored of a write: nothing that its caller can change afterwards. */
export type Keep = (write: Append, before: Head | undefined) => Append;

const largestState = 8 * 1024 * 1024;

const keepCopy: Keep = (write) => {
  if (JSON.stringify(write.state).length > largestState)
    throw new Fault('invalid', `the state of ${write.entry.stream} is over ${largestState} bytes`);
  // A copy of plain JSON has the same type.
  return copyOf(write) as unknown as Append;
};

/** A journal in memory; what it answers is frozen. */
export function memoryJournal(keep: Keep = keepCopy): MemoryJournal {
  const streams = new Map<string, Stream>();

  return {
    head: (stream) => streams.get(stream)?.head,
    append(basedOn, write) {
      const { entry } = write;
      const known = streams.get(entry.stream);
      const seq = known?.head.seq ?? 0;
      if (seq !== basedOn || entry.seq !== basedOn + 1)
        throw new Fault('conflict', `${entry.stream} moved on from ${basedOn} to ${seq}: load and decide again`);
      const kept = frozen(keep(write, known?.head));
      const head = frozen({ stream: entry.stream, seq: entry.seq, hash: entry.hash, state: kept.state });
      const entries = known?.entries ?? [];
      entries.push(kept.entry);
      streams.set(entry.stream, { head, entries, due: kept.due, name: kept.name });
    },
    history(stream, before = Number.POSITIVE_INFINITY, limit) {
      const entries = streams.get(stream)?.entries ?? [];
      const end = Math.min(entries.length, before - 1);
      return entries.slice(Math.max(0, end - limit), Math.max(0, end)).reverse();
    },
    due(now, cursor) {
      const rows = [...streams.values()].flatMap(({ head, due }) =>
        due !== undefined && due <= now ? [{ key: head.stream, stream: head.stream, due }] : [],
      );
      const { items, ...next } = pageOf(rows, cursor, 100);
      return { items: items.map(({ stream, due }) => ({ stream, due })), ...next };
    },
    names(prefix, cursor) {
      const rows = [...streams.values()].flatMap(({ head, name }): (NameRow & { readonly at: string })[] =>
        name?.key.startsWith(prefix)
          ? [
              {
                at: `${name.key}\n${head.stream}`,
                key: name.key,
                stream: head.stream,
                seq: head.seq,
                summary: name.summary,
              },
            ]
          : [],
      );
      const page = pageOf(
        rows
          .map((row) => ({ ...row, key: row.at, real: row.key }))
          .sort((a, b) => byBytes(a.real, b.real) || byBytes(a.stream, b.stream)),
        cursor,
        200,
        'given',
      );
      return {
        ...page,
        items: page.items.map(({ real, stream, seq, summary }) => ({ key: real, stream, seq, summary })),
      };
    },
    streams: () => [...streams.keys()],
    entries: (stream) => streams.get(stream)?.entries ?? [],
    earliestDue() {
      let earliest: number | undefined;
      for (const { due } of streams.values())
        if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due;
      return earliest;
    },
  };
}
