/** What of a request says which page sent it, and whom it takes this server for. */
export interface Claimed {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site` and `Sec-Fetch-Mode`: browsers send them, and no page can change them. */
  readonly site: string | undefined;
  readonly mode: string | undefined;
}

/** The names of this server, `host[:port]` in lower case. */
export interface OwnNames {
  /** It answers as this `Host`. */
  isOwn(host: string): boolean;
  /** The operator named it: a proxy in front may have pages under it. */
  isNamed(host: string): boolean;
}

/**
 * Why a request is refused, or `undefined`: a page of another origin may neither call this server nor take a name of its
 * own for it (DNS rebinding). A page is its own when it has the host and port that it asks, or one that the operator
 * named. A link that a person follows may come from anywhere.
 */
export function refusedAtTheDoor(claimed: Claimed, names: OwnNames): string | undefined {
  const { method, host = '', origin, site, mode } = claimed;
  if (!names.isOwn(host.toLowerCase()))
    return `this server does not answer as '${host.slice(0, 200)}'; name it in SERIN_HOSTS if it is yours`;
  const from = origin && (/^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1] ?? '');
  const ownOrigin = from === undefined || from === host.toLowerCase() || names.isNamed(from);
  const isFollowed = mode === 'navigate' && method === 'GET';
  if (!ownOrigin || (site === 'cross-site' && !isFollowed))
    return 'this server takes no requests from pages of other origins';
  return undefined;
}
