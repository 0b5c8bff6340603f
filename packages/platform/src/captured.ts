import { badCursor, cursorOf, placeIn } from '@serin/core/base/cursor';
import { Fault } from '@serin/core/base/fault';
import { decodeText } from '@serin/core/base/json';
import { durationText, hour, instant } from '@serin/core/base/time';
import type { Bucket, ObjectContent } from '@serin/core/ports/bucket';
import type { CapturedPage, CapturedQuery, CapturedRequest } from '@serin/core/ports/captured';
import { notYet } from './faults.ts';
import { decodeAnswer, decodeRequest } from './payloads.ts';

type Window = Pick<CapturedQuery, 'from' | 'to'>;

/** When copies of requests are all there, and until when. */
export interface CaptureTimes {
  /** A copy that comes later after its request is never read. */
  readonly lagMs: number;
  readonly keptMs: number;
}

/** `unavailable` while copies of the window's requests may still come; `invalid` when the first ones are gone. */
export function checkCaptured({ from, to }: Window, { lagMs, keptMs }: CaptureTimes, now: number): void {
  if (!Number.isFinite(from) || !Number.isFinite(to))
    throw new Fault('invalid', `cannot read the requests from ${from} to ${to}; give two times`);
  if (now < to + lagMs) throw notYet(`copies of the requests until ${instant(to)} may still be written`);
  if (from >= now - keptMs) return;
  const kept = `copies of requests are kept for ${durationText(keptMs)}`;
  throw new Fault('invalid', `cannot read the requests since ${instant(from)}: ${kept}; ask for later ones`);
}

/** What came of a copy: a request where it is one of the window, and why it cannot be read. */
export interface Found {
  readonly request?: CapturedRequest;
  /** Of its form; no value of the request. */
  readonly unread?: string;
}

interface Payload {
  readonly body: Uint8Array | string;
  readonly contentType: string | undefined;
}

/** A request with what was answered; a payload that is not read is a request without rows. */
export function foundRequest(
  fields: readonly string[],
  {
    asked,
    answered,
    ...known
  }: Omit<CapturedRequest, 'rows' | 'answers'> & {
    readonly asked: Payload;
    readonly answered?: Payload | undefined;
  },
): Found {
  const read = decodeRequest(asked.body, asked.contentType, fields);
  if ('unread' in read) return { request: { ...known, rows: [], answers: [] }, unread: read.unread };
  const { rows } = read;
  if (answered === undefined) return { request: { ...known, rows, answers: [], unanswered: true } };
  return { request: { ...known, rows, answers: decodeAnswer(answered.body, answered.contentType, rows.length) } };
}

/** Where a page ends: what stands in about 4 MB, and what a call of a function has time to look for. */
const pageRequests = 1000;
const pageBytes = 4_000_000;
const pageCalls = 200;

/** A page as it is filled. */
export function openPage({ from, to }: Window) {
  const items: CapturedRequest[] = [];
  let unread = 0;
  let first: string | undefined;
  return {
    items,
    add({ request, unread: why }: Found): void {
      if (request !== undefined && (request.at < from || request.at >= to)) return;
      if (request !== undefined) items.push(request);
      if (why === undefined) return;
      unread += 1;
      first ??= why;
    },
    close: (next?: string): CapturedPage => ({
      items,
      ...(next === undefined ? {} : { next }),
      ...(first === undefined ? {} : { unread: { requests: unread, first } }),
    }),
  };
}

/** Bytes of a file, or of one and another that belongs to it, that were read; none: it is not begun. */
export type Offsets = readonly number[];

/** A part of a file, and where in it the next one begins; absent: it was the last. */
export interface FilePart {
  readonly found: readonly Found[];
  readonly bytes: number;
  readonly next?: Offsets;
}

/** Files of copies by the hour of the request: `<folder>yyyy/mm/dd/hh/<name>`, in UTC. */
export interface CaptureFiles {
  readonly bucket: Bucket;
  /** One for each deployment that may have answered. */
  readonly folders: readonly string[];
  /** So long after its request a copy may be filed: under the hour in which it was written. */
  readonly lagMs: number;
  /** Reads on from where the part before ended; `mostRequests` at most. */
  readPart(key: string, from: Offsets, mostRequests: number): Promise<FilePart>;
}

type Place = readonly [folder: string, key: string, from: Offsets];

/** The requests of a window that files hold, file by file. A page may end inside of a file. */
export async function capturedInFiles(files: CaptureFiles, query: CapturedQuery): Promise<CapturedPage> {
  const start = query.cursor === undefined ? undefined : startOf(query.cursor);
  const page = openPage(query);
  let [calls, bytes] = [0, 0];
  const isFull = () => calls >= pageCalls || bytes >= pageBytes || page.items.length >= pageRequests;
  const close = (...place: Place) => page.close(cursorOf([...place]));

  for (const [folder, prefix] of hourFoldersOf(files, query, start)) {
    if (isFull()) return close(folder, prefix, []);
    const [, begunKey = '', begunFrom = []] = start?.[0] === folder ? start : [];
    for await (const key of keysUnder(files.bucket, prefix)) {
      if (key < begunKey) continue;
      let from: Offsets | undefined = key === begunKey ? begunFrom : [];
      while (from !== undefined) {
        if (isFull()) return close(folder, key, from);
        const part: FilePart = await files.readPart(key, from, pageRequests - page.items.length);
        for (const found of part.found) page.add(found);
        calls += 1;
        bytes += part.bytes;
        from = part.next;
      }
    }
    calls += 1;
  }
  return page.close();
}

/** From the one on in which a page goes on. A copy may be filed under the hour in which it was written. */
function hourFoldersOf({ folders, lagMs }: CaptureFiles, { from, to }: Window, start: Place | undefined) {
  const first = Math.floor(from / hour) * hour;
  const hours = Array.from({ length: Math.ceil((to + lagMs - first) / hour) }, (_, index) =>
    instant(first + index * hour)
      .slice(0, 13)
      .replaceAll(/[-T]/g, '/'),
  );
  return [...new Set(folders)]
    .toSorted()
    .flatMap((folder) => hours.map((name) => [folder, `${folder}${name}/`] as const))
    .filter(
      ([folder, prefix]) =>
        start === undefined || folder > start[0] || (folder === start[0] && prefix >= start[1].slice(0, prefix.length)),
    );
}

/** The keys with a prefix, page by page. */
export async function* keysUnder(bucket: Bucket, prefix: string): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const { items, next } = await bucket.list(prefix, cursor);
    for (const { key } of items) yield key;
    cursor = next;
  } while (cursor !== undefined);
}

function startOf(cursor: string): Place {
  const place = placeIn(cursor);
  if (!Array.isArray(place) || place.length !== 3) throw badCursor(cursor);
  const [folder, key, from] = place;
  const isFrom = Array.isArray(from) && from.every((offset) => Number.isSafeInteger(offset));
  if (typeof folder !== 'string' || typeof key !== 'string' || !isFrom) throw badCursor(cursor);
  return [folder, key, from];
}

/** What a line says, of a form whose fields are all optional; `undefined` where it is no JSON, or says `null`. */
export function lineIn<Line extends object>(text: string): Partial<Line> | undefined {
  try {
    // The reader looks at each field before it believes in it.
    return (JSON.parse(text) ?? undefined) as Partial<Line> | undefined;
  } catch {
    return undefined;
  }
}

const newline = 10;

/**
 * Whole lines of a file from a byte on, `most` at most, and where the next one begins. A line that is longer than a part
 * is left out; `tooLong` says so.
 */
export async function linesFrom(
  bucket: Bucket,
  key: string,
  from: number,
  most: number,
): Promise<{
  readonly lines: readonly { readonly text: string; readonly begins: number }[];
  readonly bytes: number;
  readonly tooLong?: true;
  readonly next?: number;
}> {
  const found = await contentFrom(bucket, key, from, most);
  // Forgotten since it was listed.
  if (found === undefined) return { lines: [], bytes: 0 };
  const { content, truncated } = found;
  const lines: { text: string; begins: number }[] = [];
  let begins = 0;
  for (let end = endOf(content, begins, truncated); end >= 0 && lines.length < most; ) {
    const text = decodeText(content.subarray(begins, end));
    if (text.trim() !== '') lines.push({ text, begins: from + begins });
    begins = end + 1;
    end = endOf(content, begins, truncated);
  }
  const bytes = content.length;
  if (begins === 0 && truncated) {
    const next = await lineAfter(bucket, key, from + bytes);
    return { lines, bytes, tooLong: true, ...(next === undefined ? {} : { next }) };
  }
  return { lines, bytes, ...(begins < bytes || truncated ? { next: from + begins } : {}) };
}

/** A thousand requests of a few features are less than that: no page reads much of what the next one reads again. */
const firstBytes = 500_000;

/** What stands from a byte on: so many lines at least, or all there is, or as much as a page may have. */
async function contentFrom(
  bucket: Bucket,
  key: string,
  from: number,
  lines: number,
): Promise<Pick<ObjectContent, 'content' | 'truncated'> | undefined> {
  const first = await bucket.read({ key, from, maxBytes: firstBytes });
  if (first === undefined || !first.truncated || hasLines(first.content, lines)) return first;
  const begun = first.content.length;
  const rest = await bucket.read({ key, from: from + begun, maxBytes: pageBytes - begun });
  if (rest === undefined) return undefined;
  const content = new Uint8Array(begun + rest.content.length);
  content.set(first.content);
  content.set(rest.content, begun);
  return { content, truncated: rest.truncated };
}

function hasLines(content: Uint8Array, most: number): boolean {
  let end = -1;
  for (let lines = 0; lines < most; lines += 1) {
    end = content.indexOf(newline, end + 1);
    if (end < 0) return false;
  }
  return true;
}

/** Where a line ends that begins here; the last one of a file needs no line break. */
function endOf(content: Uint8Array, begins: number, truncated: boolean): number {
  const end = content.indexOf(newline, begins);
  return end >= 0 || truncated || begins >= content.length ? end : content.length;
}

async function lineAfter(bucket: Bucket, key: string, from: number): Promise<number | undefined> {
  for (let at = from; ; ) {
    const found = await bucket.read({ key, from: at, maxBytes: pageBytes });
    const end = found?.content.indexOf(newline) ?? -1;
    if (end >= 0) return at + end + 1;
    if (found === undefined || !found.truncated) return undefined;
    at += found.content.length;
  }
}
