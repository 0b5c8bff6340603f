import { Fault } from '@serin/core/base/fault';
import type { RegisteredVersion } from '@serin/core/ports/registry';

/** `invalid` for a number that no version can have. */
export function checkNumber({ model, number }: Pick<RegisteredVersion, 'model' | 'number'>): void {
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Fault('invalid', `cannot register version ${number} of ${model}; use a whole number from 1 on`);
}

/** Registered twice is one version; under the same number another artifact is a `defect`. */
export function refuseOther(version: RegisteredVersion, stored: RegisteredVersion | undefined): void {
  if (stored?.artifact.digest === version.artifact.digest) return;
  throw new Fault(
    'defect',
    `version ${version.number} of ${version.model} is already registered with ${stored?.artifact.digest}, ` +
      `not with ${version.artifact.digest}; register the new artifact under a new number`,
  );
}

export const neverRegistered = (model: string, number: number): Fault =>
  new Fault('notFound', `version ${number} of ${model} was never registered; register it first`);
