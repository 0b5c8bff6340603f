import { sha256Hex } from '@serin/core/base/json';

/** One installation of Serin: its names never meet those of another in the same account and region. */
export interface Installation {
  readonly project: string;
  readonly environment: string;
}

const hashLength = 16;

/**
 * A provider's name for a key of ours, of `max` characters at most: readable first, then the hash of (project,
 * environment, kind, key), which by itself makes it unique. Adoption compares the full key, and policies are held to
 * `<environment>-<project>--*`.
 */
export function nameOf(
  { project, environment }: Installation,
  kind: string,
  { readable, key, max }: { readonly readable: string; readonly key: string; readonly max: number },
): string {
  const hash = sha256Hex(JSON.stringify([project, environment, kind, key])).slice(0, hashLength);
  const slug = `${ownPrefix({ project, environment })}${plain(readable)}`;
  return `${slug.slice(0, max - hashLength - 1).replace(/-+$/, '')}-${hash}`;
}

// Two hyphens: no other project's name begins like it, so a policy for `<environment>-<project>--*` reaches nobody else.
export const ownPrefix = ({ project, environment }: Installation): string => `${plain(`${environment}-${project}`)}--`;

const plain = (text: string): string =>
  text
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();

type Naming = (installation: Installation, kind: 'job', readable: string, key: string) => string;

/** Names a cloud's jobs from project and key alone, so that the log of a job is found when only these are known. */
export const jobNameBy =
  (nameOfKey: Naming) =>
  ({ environment }: Installation, { project, key }: { readonly project: string; readonly key: string }): string => {
    const [, part = 'job', attempt = '1'] = key.split('/');
    return nameOfKey({ project, environment }, 'job', `${part}-${attempt}`, key);
  };

interface Owning {
  readonly installation: Installation;
  readonly models: () => Promise<object>;
  readonly endpointName: (installation: Installation, model: string) => string;
}

/**
 * Finds the model of an endpoint. The names of all endpoints are made once for each config, which nobody reads for an
 * endpoint whose name cannot be ours: where names are short, not all of the prefix is in them.
 */
export function endpointOwners({ installation, models, endpointName }: Owning) {
  let known: { readonly of: object; readonly byEndpoint: ReadonlyMap<string, string> } | undefined;
  return async (name: string): Promise<string | undefined> => {
    const readable = plain(name).slice(0, -hashLength - 1);
    const own = plain(`${installation.environment}-${installation.project}`);
    if (!own.startsWith(readable) && !readable.startsWith(own)) return undefined;
    const all = await models();
    if (known?.of !== all)
      known = {
        of: all,
        byEndpoint: new Map(Object.keys(all).map((model) => [endpointName(installation, model), model])),
      };
    return known.byEndpoint.get(name);
  };
}
