import { createHash } from 'node:crypto';
import type { Source } from '@serin/core/ports/jobs';
import type { Files } from '../../contract/jobs.contract.ts';

/** A code folder as a release stores it. */
export async function storeCode(
  files: Files,
  put: (bucket: string, key: string, content: string) => Promise<unknown>,
): Promise<string> {
  const entries = Object.entries(files).map(([path, content]) => {
    const blob = sha256(content);
    return { path, blob, bytes: Buffer.byteLength(content), executable: false, content };
  });
  for (const { blob, content } of entries) await put('serin', `code/blobs/${blob}`, content);
  const manifest = JSON.stringify({ files: entries.map(({ content: _, ...file }) => file) });
  await put('serin', `code/${sha256(manifest)}.json`, manifest);
  return sha256(manifest);
}

/** Objects under `fraud/`, and the manifest that names them, in two chunks. */
export const datasetIn =
  (put: (bucket: string, key: string, content: string) => Promise<unknown>) =>
  async (files: Files, under?: string): Promise<Source> => {
    const objects = Object.entries(files).map(([path, content]) => ({
      path,
      content,
      bytes: Buffer.byteLength(content),
    }));
    const chunks = [objects.slice(0, 1), objects.slice(1)];
    for (const { path, content } of objects) await put('drops', `fraud/${path}`, content);
    const chunkKeys: string[] = [];
    let chain = '';
    for (const chunk of chunks) {
      const rows = chunk.map(({ path, content, bytes }) => ({ key: `fraud/${path}`, version: sha256(content), bytes }));
      for (const { key, version, bytes } of rows) chain = sha256(`${chain}\n${JSON.stringify([key, version, bytes])}`);
      const text = JSON.stringify({ objects: rows });
      chunkKeys.push(`datasets/chunks/${sha256(text)}.json`);
      await put('serin', `datasets/chunks/${sha256(text)}.json`, text);
    }
    const manifest = {
      bucket: 'drops',
      prefix: 'fraud/',
      objects: objects.length,
      bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
      chunks: chunkKeys,
    };
    const key = `datasets/fraud/${sha256(JSON.stringify(['drops', 'fraud/', chain]))}.json`;
    await put('serin', key, JSON.stringify(manifest));
    const source = { kind: 'manifest', bucket: 'serin', key } as const;
    return under === undefined ? source : { ...source, under: `fraud/${under}` };
  };

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
