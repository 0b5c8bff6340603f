import type { Prices } from '../prices.ts';

/** No list of Microsoft's prices could be read: quantities are told, and no sum is made of them. */
export const prices: Prices = {
  instances: [],
  units: [],
  usage: [
    { service: 'functions', unit: 'execution', per: 'signal', each: 1 },
    { service: 'functions', unit: 'GB-second', per: 'signal', each: 2 },
    { service: 'service-bus', unit: 'operation', per: 'signal', each: 4 },
    // A signal reads a head or two and their history, and appends one or two entries.
    { service: 'table-storage', unit: 'transaction', per: 'signal', each: 25 },
    { service: 'monitor', unit: 'GB of logs', per: 'signal', each: 0.000_002 },
  ],
};
