/** A resource id, in its parts. The last ones are those of the resource itself. */
export interface ResourceId {
  readonly subscription: string;
  readonly group: string;
  /** `Microsoft.Storage/storageAccounts` */
  readonly type: string;
  readonly name: string;
}

/** `undefined` of any other text. */
export function parsedId(id: string): ResourceId | undefined {
  const [, subscription, group, provider, path] =
    /^\/subscriptions\/([0-9a-f-]{36})\/resourceGroups\/([\w().-]+)\/providers\/([\w.]+)\/((?:[\w-]+\/[\w.()-]+\/?)+)$/i.exec(
      id,
    ) ?? [];
  if (subscription === undefined || group === undefined || provider === undefined || path === undefined)
    return undefined;
  const parts = path.split('/');
  const types = parts.filter((_, index) => index % 2 === 0);
  return parts.length % 2 === 0
    ? { subscription, group, type: [provider, ...types].join('/'), name: parts.at(-1) ?? '' }
    : undefined;
}
