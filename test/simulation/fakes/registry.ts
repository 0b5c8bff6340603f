import { Fault } from '@serin/core/base/fault';
import type { RegisteredVersion, Registry } from '@serin/core/ports/registry';
import type { Sync } from './sync.ts';

/** A registry in memory. */
export function memoryRegistry(): Sync<Registry> {
  const versions = new Map<string, RegisteredVersion>();
  const keyOf = (model: string, number: number): string => JSON.stringify([model, number]);

  return {
    register(version) {
      const key = keyOf(version.model, version.number);
      const known = versions.get(key);
      if (known === undefined) versions.set(key, structuredClone(version));
      else if (known.artifact.digest !== version.artifact.digest)
        throw new Fault('defect', `v${version.number} of ${version.model} has another artifact already`);
    },
    setApproval(model, number, approval) {
      const known = versions.get(keyOf(model, number));
      if (known === undefined) throw new Fault('notFound', `v${number} of ${model} was never registered`);
      versions.set(keyOf(model, number), { ...known, approval });
    },
    setAliases(model, wanted) {
      for (const number of Object.values(wanted))
        if (!versions.has(keyOf(model, number)))
          throw new Fault('notFound', `v${number} of ${model} was never registered`);
    },
    get: (model, number) => versions.get(keyOf(model, number)),
  };
}
