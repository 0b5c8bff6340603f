/** What a JSON pointer (RFC 6901) points to; `undefined`: nothing. The empty one points to the value itself. */
export const pointedAt = (value: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .reduce((inner, name) => member(inner, name.replaceAll('~1', '/').replaceAll('~0', '~')), value);

/** A field or an item by its name. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  // Its own property, as was just asked.
  return (value as Readonly<Record<string, unknown>>)[name];
}
