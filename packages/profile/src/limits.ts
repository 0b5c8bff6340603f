/** What is refused instead of read, so that no file takes more memory or time than was planned for it. */
export const maxColumns = 10_000;
export const maxNameLength = 1000;
/** What the sketches of all columns take in memory; about 45 KB each where all values are different. */
export const maxStateBytes = 80 * 2 ** 20;
export const maxFieldBytes = 2 ** 20;
export const maxRowBytes = 16 * 2 ** 20;
/** What a gzip may hold: it is read in one part, and a function call has its time. */
export const maxInflatedBytes = 512 * 2 ** 20;
/** How much of an object is asked for at once. */
export const pieceBytes = 2 ** 20;
