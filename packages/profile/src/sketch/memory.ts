interface Held {
  readonly buffer: ArrayBuffer;
}

/**
 * The bytes of an array with room for more; the array is empty from then on. They move, where a copy would leave the old
 * ones to the garbage collector: the sketches of a thousand columns grow at once.
 */
export const roomier = ({ buffer }: Held, bytes: number): ArrayBuffer => buffer.transfer(bytes);

/** Gives the memory of arrays back at once. The sketches of a thousand columns are 45 MB, and those of the next part come. */
export function release(...arrays: readonly Held[]): void {
  for (const { buffer } of arrays) buffer.transfer(0);
}
