import type { CompiledConfig } from '@serin/core/config';
import { Fault } from '@serin/core/fault';
import { decodeText } from '@serin/core/json';
import { configKey } from '@serin/core/perform';
import type { Ports } from '@serin/core/ports';
import type { Project } from '@serin/core/project';

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
    const object = await bucket('serin').read({ key: configKey(digest), maxBytes: 64_000_000 });
    if (object === undefined || object.truncated)
      throw new Fault('unavailable', `the released config ${digest} is not in the project's bucket`);
    known = { digest, config: JSON.parse(decodeText(object.content)) as CompiledConfig }; // written by a release
    return known.config;
  };
}
