import { sha256Hex } from '@serin/core/base/json';

/** One installation of Serin: its names never meet those of another in the same account and region. */
export interface Installation {
  readonly project: string;
  readonly environment: string;
}

/** SageMaker's limit for the names of jobs, models, endpoints and their configs: 63 of `[a-zA-Z0-9](-*[a-zA-Z0-9])*`. */
const maxLength = 63;
const hashLength = 16;

/**
 * A provider's name for a key of ours, in lower case as its ARN will be: readable first, then the hash of (project, environment, kind, key), which alone
 * makes it unique. Adoption compares the full key in the tags, and policies are held to `<environment>-<project>--*`.
 */
export function nameOf({ project, environment }: Installation, kind: string, readable: string, key: string): string {
  const hash = sha256Hex(JSON.stringify([project, environment, kind, key])).slice(0, hashLength);
  const slug = `${ownPrefix({ project, environment })}${plain(readable)}`;
  return `${slug.slice(0, maxLength - hashLength - 1).replace(/-+$/, '')}-${hash}`;
}

// Two hyphens: no other project's name begins like it, so a policy for `<environment>-<project>--*` reaches nobody else.
export const ownPrefix = ({ project, environment }: Installation): string => `${plain(`${environment}-${project}`)}--`;

const plain = (text: string): string =>
  text
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();

export const endpointName = (installation: Installation, model: string): string =>
  nameOf(installation, 'endpoint', model, model);

/** Whose an endpoint is. The names of all are made once for each config, however many events come. */
export function endpointOwners(installation: Installation, models: () => Promise<object>) {
  let known: { readonly of: object; readonly byEndpoint: ReadonlyMap<string, string> } | undefined;
  return async (name: string): Promise<string | undefined> => {
    if (!name.startsWith(ownPrefix(installation))) return undefined;
    const all = await models();
    if (known?.of !== all)
      known = {
        of: all,
        byEndpoint: new Map(Object.keys(all).map((model) => [endpointName(installation, model), model])),
      };
    return known.byEndpoint.get(name);
  };
}

export const groupName = (installation: Installation, model: string): string =>
  nameOf(installation, 'group', model, model);

/** What every resource of an installation carries, and what adoption compares. */
export const tagsOf = ({ project, environment }: Installation, more: Readonly<Record<string, string>>) =>
  Object.entries({ 'serin:project': project, 'serin:environment': environment, ...more }).map(([Key, Value]) => ({
    Key,
    // Tag values: letters, digits, spaces and `_.:/=+-@`, 256 at most (botocore: sagemaker Tag.Value).
    Value: Value.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '_').slice(0, 256),
  }));
