import type { CompiledConfig } from '@serin/core/config/config';

/** Every code digest that a config refers to, each once. */
export function codeDigests(config: CompiledConfig): readonly string[] {
  const digests = Object.values(config.models).flatMap(({ train: trained, evaluate, serve: served, split: cut }) => [
    trained.code?.digest,
    evaluate?.code?.digest,
    served === 'none' ? undefined : served.code?.digest,
    cut?.kind === 'job' ? cut.code?.digest : undefined,
  ]);
  return [...new Set(digests.filter((found) => found !== undefined))];
}
