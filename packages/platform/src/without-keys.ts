/**
 * A message without what stands under some keys, such as the variables of a job, which may hold secrets. `within`: the
 * same of a text in it that holds a message of its own. A body that has none of them, or is no JSON, stays as it is.
 */
export function withoutKeys(
  body: string,
  keys: RegExp,
  within: (key: string, text: string) => string = (_, text) => text,
): string {
  const message = parsed(body);
  let hasAny = false;
  const bare = JSON.stringify(message, (key, value) => {
    const kept = keys.test(key) ? undefined : typeof value === 'string' ? within(key, value) : value;
    hasAny ||= kept !== value;
    return kept;
  });
  return hasAny ? bare : body;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
