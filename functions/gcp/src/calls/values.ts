/** Of `google.firestore.v1.Value`, as far as they are used. */
export interface Value {
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly integerValue?: string;
  readonly mapValue?: { readonly fields?: Fields };
}
export type Fields = Readonly<Record<string, Value>>;

export const text = (value: string): Value => ({ stringValue: value });
export const whole = (value: number): Value => ({ integerValue: String(value) });
export const bytes = (value: string | Uint8Array): Value => ({ bytesValue: Buffer.from(value).toString('base64') });

export const textIn = (value: Value = {}): string =>
  value.stringValue ?? Buffer.from(value.bytesValue ?? '', 'base64').toString();
export const numberIn = (value: Value = {}): number => Number(value.integerValue);
export const bytesIn = (value: Value = {}): Uint8Array | undefined =>
  value.bytesValue === undefined ? undefined : Buffer.from(value.bytesValue, 'base64');
