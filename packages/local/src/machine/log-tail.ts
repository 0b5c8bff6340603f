import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const tailBytes = 4096;
const tailLines = 20;

/** The last 20 lines of a log, of at most 4 KB; empty when there is none. */
export function endOfLog(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return ''; // The process never wrote: its ending is told without its words.
  }
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    const bytes = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, bytes).trimEnd().split('\n').slice(-tailLines).join('\n');
  } finally {
    closeSync(descriptor);
  }
}
