// The WHATWG functions are on every platform that Serin runs on, but in no ECMAScript library.
declare const btoa: (binary: string) => string;
declare const atob: (base64: string) => string;

export const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** `undefined` for a text that is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
  } catch {
    return undefined;
  }
}
