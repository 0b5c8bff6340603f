export interface Content {
  // The fakes read bodies that have been checked; a type for each would be written a second time.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
  /** The content of an upload, else all that was sent. */
  readonly bytes: Buffer;
}

/**
 * The JSON and the content of a request. `uploadType`: how content is sent, `undefined` where none can be.
 *
 * https://docs.cloud.google.com/storage/docs/uploads-downloads
 */
export function contentOf(bytes: Buffer, type = '', uploadType: string | undefined): Content {
  if (uploadType === 'media') return { body: undefined, bytes };
  if (uploadType === 'multipart') return partsOf(bytes, type);
  if (uploadType !== undefined)
    throw new Error(`?uploadType: '${uploadType}' is not served here; use media or multipart`);
  if (bytes.length === 0) return { body: undefined, bytes };
  if (!/^application\/json\b/.test(type)) throw new Error(`content-type: '${type}' is not application/json`);
  return { body: parsed(bytes.toString()), bytes };
}

/** `multipart/related`: the JSON of an object, then its content. */
function partsOf(bytes: Buffer, type: string): Content {
  const [, quoted, plain] = /^multipart\/related;\s*boundary=(?:"([^"]+)"|(\S+))$/.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new Error(`content-type: '${type}' is no multipart/related with a boundary`);
  // Latin 1 keeps each byte as one character.
  const parts = bytes.toString('latin1').split(`--${boundary}`);
  if (!/^--\s*$/.test(parts[3] ?? '')) throw new Error('body: must be two parts');
  const [json = '', content = ''] = parts.slice(1, 3).map((part) => {
    const [, text] = /^\r\n(?:[^\r\n]+\r\n)*\r\n(.*)\r\n$/s.exec(part) ?? [];
    if (text === undefined) throw new Error('body: a part is not as RFC 2387 has it');
    return text;
  });
  return { body: parsed(Buffer.from(json, 'latin1').toString()), bytes: Buffer.from(content, 'latin1') };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`body: no JSON: ${error instanceof Error ? error.message : error}`);
  }
}
