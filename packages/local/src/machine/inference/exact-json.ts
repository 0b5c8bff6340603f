/** A number that was written with a point or an exponent although it is whole, such as `2.0`. */
export class Decimal {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** What `JSON.parse` tells a reviver besides, and `JSON.rawJSON`: https://tc39.es/proposal-json-parse-with-source/ */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const { parse, rawJSON } = JSON as unknown as {
  readonly parse: (text: string, reviver?: Reviver) => unknown;
  readonly rawJSON: (text: string) => unknown;
};

/** Only a text with one of these has a number that JavaScript would read as another, or as another kind. */
const large = /\d{16}/;
const decimal = /\d\.0*(?![0-9])|\d[eE]/;

/** Whether a text may have a number such as `2.0`. */
export const hasDecimals = (text: string): boolean => decimal.test(text);

/** As `JSON.parse`, but integers of any size stay what they are, as bigints; with `decimals`, so does `2.0`. */
export function parseExactly(text: string, { decimals = false } = {}): unknown {
  if (!large.test(text) && !decimals) return JSON.parse(text);
  return parse(text, (_, value, { source }) => {
    if (typeof value !== 'number' || source === undefined || !Number.isInteger(value)) return value;
    if (/[.eE]/.test(source)) return decimals ? new Decimal(value) : value;
    return Number.isSafeInteger(value) ? value : BigInt(source);
  });
}

/** A number that `JSON.stringify` writes with all its digits. */
export const writable = (value: unknown): unknown => (typeof value === 'bigint' ? rawJSON(String(value)) : value);
