import type { Readable } from 'node:stream';

/** The body of a request that passes by, kept for its mirror. */
export interface BodyCopy {
  /** `spoilt`: it broke off, or is larger than allowed. `dropped`: too much is kept already. */
  state(): 'coming' | 'whole' | 'spoilt' | 'dropped';
  /** Of the monotone clock, in milliseconds; `undefined` unless it is whole. */
  endedAt(): number | undefined;
  chunks(): readonly Buffer[];
  /** Nobody wants it any more: what is still coming is not kept, and the memory is free. Twice: the same as once. */
  giveUp(): void;
}

/** The memory of all copies together. */
export interface Room {
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function roomOf(maxBytes: number): Room {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > maxBytes) return false;
      taken += bytes;
      return true;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}

/** Listens to a request without holding it up; `onEnd` is called once, when the state is no more `coming`. */
export function copyBody(
  request: Readable,
  { room, maxBytes, onEnd }: { readonly room: Room; readonly maxBytes: number; readonly onEnd: () => void },
): BodyCopy {
  let state: ReturnType<BodyCopy['state']> = 'coming';
  let chunks: Buffer[] = [];
  let bytes = 0;
  let endedAt: number | undefined;

  function release(): void {
    room.give(bytes);
    bytes = 0;
    chunks = [];
  }
  function end(next: 'whole' | 'spoilt' | 'dropped'): void {
    if (state !== 'coming') return;
    state = next;
    if (next === 'whole') endedAt = performance.now();
    else release();
    onEnd();
  }

  request.on('data', (chunk: Buffer) => {
    if (state !== 'coming') return;
    if (bytes + chunk.length > maxBytes) return end('spoilt');
    if (!room.take(chunk.length)) return end('dropped');
    bytes += chunk.length;
    chunks.push(chunk);
  });
  request.on('end', () => end('whole'));
  request.on('close', () => end('spoilt'));
  return {
    state: () => state,
    endedAt: () => endedAt,
    chunks: () => chunks,
    giveUp() {
      end('spoilt');
      release();
    },
  };
}
