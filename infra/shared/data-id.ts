import { sha256Hex } from '@serin/core/base/json';

/**
 * What a renderer calls the resource of a data bucket. By its name, for a number in a list is another bucket's as soon
 * as a config names one more before it, and the tool would make again what is there.
 */
export const dataId = (bucket: string): `Data${string}` => `Data${sha256Hex(bucket).slice(0, 8)}`;
