import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

/** Watches the resident memory of this process and all that it started, also those whose parent was killed. */
export interface MemoryWatch {
  /** The highest sum seen, in MB of 2^20 bytes; 0 where the system has no /proc. */
  peakMb(): number;
  stop(): void;
}

interface Row {
  readonly parent: number;
  readonly born: string;
  readonly rssKb: number;
}

export function watchMemory(everyMs = 300): MemoryWatch {
  const family = new Map<number, string>();
  let peakKb = 0;
  const timer = setInterval(() => {
    const rows = processes();
    for (const [pid, { parent, born }] of rows) if (pid === process.pid || family.has(parent)) family.set(pid, born);
    let sumKb = 0;
    for (const [pid, born] of family) {
      const row = rows.get(pid);
      if (row?.born === born) sumKb += row.rssKb;
      else family.delete(pid);
    }
    peakKb = Math.max(peakKb, sumKb);
  }, everyMs).unref();
  return { peakMb: () => Math.round(peakKb / 1024), stop: () => clearInterval(timer) };
}

/** All processes by id, parents before their children as far as ids grow. */
function processes(): ReadonlyMap<number, Row> {
  const rows = new Map<number, Row>();
  const ids = listed().sort((a, b) => a - b);
  for (const pid of ids) {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      rows.set(pid, { parent: Number(fields[1]), born: fields[19] ?? '', rssKb: Number(fields[21]) * 4 });
    } catch {
      // It has ended since the folder was read.
    }
  }
  return rows;
}

function listed(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
