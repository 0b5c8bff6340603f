import { createHash, randomFillSync } from 'node:crypto';
import type { Mirror } from '@serin/core/ports/serving';

/** How the requests of one endpoint are shared out, as one immutable value. */
export interface Route {
  readonly endpoint: string;
  readonly weights: Readonly<Record<string, number>>;
  /** Newest version first; an arm has the numbers of 0..99 that are below its bound and not below the bound before. */
  readonly arms: readonly { readonly deployment: string; readonly below: number }[];
  readonly mirror?: Mirror;
}

/** A fair number of 0..99, or below another bound; fresh for each call and independent of all others. */
export type Coin = () => number;

/** Coins from the operating system's random source, drawn in blocks. */
export function cryptoCoin(sides = 100): Coin {
  const block = new Uint32Array(4096);
  // The largest multiple: a number above it would favour the low coins.
  const fair = 2 ** 32 - (2 ** 32 % sides);
  let next = block.length;
  return function toss(): number {
    for (;;) {
      if (next === block.length) {
        randomFillSync(block);
        next = 0;
      }
      const number = block[next++] ?? 0;
      if (number < fair) return number % sides;
    }
  };
}

/** A user as the gateway knows one: by the value of the sticky header, which itself is kept nowhere. */
export interface User {
  /** One of 0..99. With `pick` it makes nested buckets: the users of a deployment at 5 % are among its users at 25 %. */
  readonly number: number;
  /** 48 bits: of a million users, two are taken for one with a probability of 0.2 %. Independent of `number`. */
  readonly id: number;
}

/** The user of a sticky key: the same for ever, on every machine. */
export function userOf(endpoint: string, key: string): User {
  const digest = createHash('sha256').update(`${endpoint}\n${key}`).digest();
  return { number: digest.readUInt32BE(0) % 100, id: digest.readUIntBE(4, 6) };
}

/** The index of the arm that has a number of 0..99; -1 when nothing is served. */
export function pick(route: Route, number: number): number {
  const { arms } = route;
  for (let index = 0; index < arms.length; index++) if (number < (arms[index]?.below ?? 0)) return index;
  return -1;
}
