import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';

/** Holds what has no place of its own, and drafts. */
export const hiddenFolder = '.serin-objects';
const maxSegmentBytes = 200;
export const maxKeyBytes = 1024;

export const isBucketName = (name: string): boolean => /^[a-z0-9][a-z0-9._-]{0,62}$/.test(name);

export function checkKey(key: string): void {
  if (key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= maxKeyBytes) return;
  const shown = JSON.stringify(key.slice(0, 100));
  throw new Fault(
    'invalid',
    `the key ${shown} cannot be used; choose one of 1 to ${maxKeyBytes} bytes of valid Unicode`,
  );
}

/** A path that a person may give a file: it is listed, read and replaced where it is. */
export const isPath = (key: string): boolean => key.split('/').every((segment) => /^[^.\0\\][^\0\\]*$/.test(segment));

/** A path that `write` may create: one that names the same file on every file system. */
export function isSafePath(key: string): boolean {
  const ends = /^[\w=+@,()-](?:[\w .=+@,()-]*[\w=+@,()-])?$/;
  const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
  return key.split('/').every((part) => part.length <= maxSegmentBytes && ends.test(part) && !device.test(part));
}

export const hiddenPlace = (key: string): string => `${hiddenFolder}/${sha256Hex(key)}`;
