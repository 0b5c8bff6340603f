import type { CompiledConfig } from '@serin/core/config/config';
import { readConfig } from '@serin/core/engine/stored';
import type { Ports } from '@serin/core/ports/ports';
import type { Project } from '@serin/core/project/project';

/**
 * The released config; `undefined` before the first release.
 *
 * Each call reads the project's head, so a release is seen at once; the config itself is read once per digest.
 */
export function releasedConfig({
  journal,
  bucket,
}: Pick<Ports, 'journal' | 'bucket'>): () => Promise<CompiledConfig | undefined> {
  let known: { readonly digest: string; readonly config: CompiledConfig } | undefined;
  return async () => {
    const head = await journal.head('project');
    const digest = (head?.state as Project | undefined)?.config?.digest;
    if (digest === undefined) return undefined;
    if (known?.digest === digest) return known.config;
    known = { digest, config: await readConfig(digest, { bucket }) };
    return known.config;
  };
}
