// https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1, and `expect`, which this server answers itself.
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/** They carry the caller's rights on this server; a model is other people's code. */
const own: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'host',
  'x-serin-request-id',
  'x-serin-deployment',
  'x-serin-mirror',
]);

const noNames: ReadonlySet<string> = new Set();

/** Raw headers (name, value, name, value ...) of a request, for its model server. */
export function forwardedHeaders(raw: readonly string[], host: string, requestId: string): string[] {
  const headers = ['host', host, 'x-serin-request-id', requestId];
  const named = namedByConnection(raw);
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? '';
    const lower = name.toLowerCase();
    if (!hopByHop.has(lower) && !own.has(lower) && !named.has(lower)) headers.push(name, raw[index + 1] ?? '');
  }
  return headers;
}

/** Raw headers of a model server's answer, for the caller. */
export function returnedHeaders(raw: readonly string[], deployment: string, requestId: string): string[] {
  const headers = ['x-serin-deployment', deployment, 'x-serin-request-id', requestId];
  const named = namedByConnection(raw);
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? '';
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || named.has(lower) || lower.startsWith('x-serin-')) continue;
    headers.push(name, raw[index + 1] ?? '');
  }
  return headers;
}

/** What a `Connection` header declares to be for this hop only. */
function namedByConnection(raw: readonly string[]): ReadonlySet<string> {
  let names: Set<string> | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const value = (raw[index + 1] ?? '').toLowerCase();
    if (value === 'keep-alive' || value === 'close') continue;
    names ??= new Set();
    for (const token of value.split(',')) names.add(token.trim());
  }
  return names ?? noNames;
}

/** Raw headers without what they say of a length. */
export const withoutLength = (headers: readonly string[]): string[] =>
  withoutNamed(headers, new Set(['content-length']));

/** Raw headers (name, value, name, value ...) without those of some names, in lower case. */
export const withoutNamed = (headers: readonly string[], names: ReadonlySet<string>): string[] =>
  headers.flatMap((name, index) =>
    index % 2 === 0 && !names.has(name.toLowerCase()) ? [name, headers[index + 1] ?? ''] : [],
  );

const streams: ReadonlySet<string> = new Set([
  'text/event-stream',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/json-seq',
]);

/** Whether an answer comes part by part, each of which means something by itself. */
export const isStream = (contentType: string | undefined): boolean =>
  contentType !== undefined && streams.has((contentType.split(';', 1)[0] ?? '').trim().toLowerCase());
