/** A number from a name (FNV-1a), so that no two cases share their streams. */
export function numberOf(name: string): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) mixed = Math.imul(mixed ^ name.charCodeAt(index), 0x01000193);
  return mixed >>> 0;
}
