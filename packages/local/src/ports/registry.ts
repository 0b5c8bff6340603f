import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import type { RegisteredVersion, Registry } from '@serin/core/ports/registry';
import { checkNumber, neverRegistered, refuseOther } from '@serin/platform/registry/versions';
import { syncDirectory, writeWhole } from '../machine/durable.ts';
import { fileFault, isMissing } from '../machine/faults.ts';

/**
 * A registry of one JSON file per version: `<directory>/<sha256 of the model>/<number>.json`.
 *
 * A version that is there already keeps its approval when it is registered again. Files are written whole and are
 * durable when a method resolves; the methods do not yield, so concurrent calls take effect in their order.
 */
export function fileRegistry({ directory }: { readonly directory: string }): Registry {
  const fileOf = (model: string, number: number) => join(directory, sha256Hex(model), `${number}.json`);

  return {
    async register(version) {
      const { model, number } = version;
      checkNumber(version);
      const file = fileOf(model, number);
      if (!place(file, version, 'create')) refuseOther(version, load(file));
    },

    async setApproval(model, number, approval) {
      const file = fileOf(model, number);
      const version = load(file);
      if (version === undefined) throw neverRegistered(model, number);
      if (version.approval !== approval) place(file, { ...version, approval }, 'replace');
    },

    get: async (model, number) => load(fileOf(model, number)),
  };
}

/** Answers false, and changes nothing, when the file is there and must not be. */
function place(file: string, version: RegisteredVersion, mode: 'create' | 'replace'): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const isPlaced = writeWhole(file, `${JSON.stringify(version, null, 2)}\n`, mode);
    syncDirectory(dirname(dirname(file)));
    return isPlaced;
  } catch (error) {
    throw fileFault(error, `writing ${file}`);
  }
}

function load(file: string): RegisteredVersion | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileFault(error, `reading ${file}`);
  }
  try {
    return JSON.parse(text) as RegisteredVersion; // written by `place`
  } catch (error) {
    throw new Fault('defect', `the version in ${file} is damaged; restore it from a backup`, { cause: error });
  }
}
