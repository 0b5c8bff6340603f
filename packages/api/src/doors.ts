/** What of a request says which page sent it, and whom it takes this server for. */
export interface Claimed {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site` and `Sec-Fetch-Mode`: browsers send them, and no page can change them. */
  readonly site: string | undefined;
  readonly mode: string | undefined;
}

/**
 * Why a request is refused, or `undefined`: a page of another origin may neither call this server nor take a name of its
 * own for it (DNS rebinding). A link that a person follows may come from anywhere.
 */
export function refusedAtTheDoor(claimed: Claimed, isOwnHost: (host: string) => boolean): string | undefined {
  const { method, host = '', origin, site, mode } = claimed;
  if (!isOwnHost(host.toLowerCase()))
    return `this server does not answer as '${host.slice(0, 200)}'; name it in SERIN_HOSTS if it is yours`;
  const ownOrigin = origin === undefined ? true : isOwnOrigin(origin, isOwnHost);
  const isFollowed = mode === 'navigate' && method === 'GET';
  if (!ownOrigin || (site === 'cross-site' && !isFollowed))
    return 'this server takes no requests from pages of other origins';
  return undefined;
}

const isOwnOrigin = (origin: string, isOwnHost: (host: string) => boolean): boolean => {
  const host = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
  return host !== undefined && isOwnHost(host);
};
