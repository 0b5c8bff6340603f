/**
 * A price that somebody published, with where and when it was read. None was read from a price list of the vendor
 * itself, so every sum over them is an estimate. A price that nobody could name is not here and is never guessed.
 */
export interface Price {
  /** `undefined`: the source names none. */
  readonly region?: string;
  /** The name of an instance type. */
  readonly sku: string;
  readonly purchase: 'onDemand' | 'spot';
  readonly usdPerHour: number;
  readonly source: string;
  readonly asOf: string;
}

/** What the backend itself costs, per unit of a service. */
export interface UnitPrice {
  readonly region: string;
  readonly service: string;
  readonly unit: string;
  readonly usd: number;
  /** Units of each month and account that cost nothing. Shown, and not reckoned with: another project may use them. */
  readonly freePerMonth?: number;
  readonly source: string;
  readonly asOf: string;
}

/** What the backend uses of a service. Guesses, until a live account has measured them; they are printed with the sum. */
export interface Usage {
  readonly service: string;
  readonly unit: string;
  /** A signal that is taken, a tick of a rollout that is read, or a metric that the functions count, in a month. */
  readonly per: 'signal' | 'tick' | 'metric';
  readonly each: number;
}

export interface Prices {
  readonly instances: readonly Price[];
  readonly units: readonly UnitPrice[];
  readonly usage: readonly Usage[];
}

interface Priced {
  readonly prices: Prices;
}

/** The price on demand of an instance type, in the region that one is known for. */
export const priceOf = ({ prices }: Priced, name: string): Price | undefined =>
  prices.instances.find(({ sku, purchase }) => sku === name && purchase === 'onDemand');

export const unitPriceOf = ({ prices }: Priced, service: string, unit: string): UnitPrice | undefined =>
  prices.units.find((price) => price.service === service && price.unit === unit);
