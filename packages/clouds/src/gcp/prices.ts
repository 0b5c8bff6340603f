import type { Prices } from '../prices.ts';
import { journalUses } from './journal.ts';

/** No list of Google's prices could be read: quantities are told, and no sum is made of them. */
export const prices: Prices = {
  instances: [],
  units: [],
  usage: [
    { service: 'run', unit: 'request', per: 'signal', each: 1 },
    { service: 'run', unit: 'vCPU-second', per: 'signal', each: 0.6 },
    { service: 'run', unit: 'GiB-second', per: 'signal', each: 1 },
    { service: 'pubsub', unit: 'message', per: 'signal', each: 3 },
    // A signal reads a head or two and their history, and appends one or two entries.
    { service: 'firestore', unit: 'document read', per: 'signal', each: 20 },
    { service: 'firestore', unit: 'document write', per: 'signal', each: 5 * journalUses.append.writes },
    { service: 'monitoring', unit: 'time series read', per: 'tick', each: 20 },
  ],
};
