import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What a folder's sources say in prose: comments, and texts of several words. */
function prose(folder: string): ReadonlySet<string> {
  const path = join(import.meta.dirname, '..', folder);
  const sources = readdirSync(path).map((file) => readFileSync(join(path, file), 'utf8'));
  const said = sources.flatMap((source) => [
    ...source.matchAll(/^\s*(?:\/\/|\/?\*\*?)\s*(\w.*?)(?:\s*\*\/)?$/gm),
    ...source.matchAll(/['`]([^'`\n]+ [^'`\n]+ [^'`\n]+)['`]/g),
  ]);
  return new Set(said.map(([, text = '']) => text));
}

test('what the CDK and SST would both say stands in the topology, once', () => {
  const [cdk, sst] = [prose('cdk'), prose('sst')];

  expect([cdk.size > 10, sst.size > 10]).toEqual([true, true]);
  expect([...cdk].filter((text) => sst.has(text))).toEqual([]);
});
