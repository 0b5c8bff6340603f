import { type Field, isObject, listOf, oneOf, refusal } from './fields.ts';

/** What the settings of an installation have on each cloud. */
export interface CommonSettings {
  readonly project: string;
  /** `prod`, `dev` ...: with the project, and within one account of the cloud, it names everything. */
  readonly environment: string;
  readonly version: string;
  /** SHA-256 (hex) of the first administrator's token. */
  readonly adminTokenHash: string;
  /** Buckets that data and labels are dropped into. What is somebody's own is read, never written to, never deleted. */
  readonly dataBuckets: readonly string[];
}

export const text =
  (shape: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && shape.test(value);

export const switched: Field = { must: 'true or false', takes: oneOf(true, false) };

export const hashShape = /^[0-9a-f]{64}$/;

/** The fields of these; `buckets`: how one of the cloud's buckets is named, and how a list of them is called. */
export const commonFields = (buckets: {
  readonly must: string;
  readonly takes: (name: string) => boolean;
}): Readonly<Record<keyof CommonSettings, Field>> => ({
  project: { must: "a name such as 'shop'", takes: (value) => typeof value === 'string', required: true },
  environment: { must: "a name such as 'prod'", takes: (value) => typeof value === 'string', required: true },
  version: { must: "a version such as '0.1.0'", takes: text(/^\d+\.\d+\.\d+[\w.+-]*$/), required: true },
  adminTokenHash: { must: 'the SHA-256 of a token, 64 hex digits', takes: text(hashShape), required: true },
  dataBuckets: {
    must: `a list of names of ${buckets.must}, each once`,
    takes: listOf((value) => typeof value === 'string' && buckets.takes(value), 0),
    required: true,
  },
});

/** The settings of one environment, or all that is wrong with them. */
export type SettingsRead<Settings> = { readonly settings: Settings } | { readonly problems: readonly string[] };

/**
 * What `serin.<cloud>.json`, or a file of another tool, says of one environment. `stage` names it, else the file does.
 *
 * The file has the fields of the cloud's `Settings`, which `problemsOf` checks, but `adminTokenHash` is one for each
 * environment: `{"prod": "<SHA-256 in hex>"}`.
 */
export function readSettings<Settings extends object>(
  problemsOf: (settings: object) => readonly string[],
  file: unknown,
  stage?: string,
): SettingsRead<Settings> {
  if (!isObject(file)) return { problems: ['it holds no object'] };
  const { adminTokenHash: hashes, ...rest } = file;
  const shared = stage === undefined ? rest : { ...rest, environment: stage };
  const { environment } = shared;
  const wrong = typeof environment === 'string' ? hashProblems(hashes, environment) : [];
  // A hash that is wrong is told once, with its environment.
  const hash = wrong.length === 0 && isObject(hashes) ? hashes[`${environment}`] : noHash;
  const settings = { ...shared, adminTokenHash: hash ?? noHash };
  const problems = [...problemsOf(settings), ...wrong];
  // Without a problem all fields are there, and are what the interface says.
  return problems.length === 0 ? { settings: settings as unknown as Settings } : { problems };
}

/** The settings, for whoever can only stop: throws with everything that is wrong with the file of this name. */
export function requireSettings<Settings>(name: string, read: SettingsRead<Settings>): Settings {
  if ('settings' in read) return read.settings;
  throw refusal(`${name} cannot be deployed`, read.problems);
}

const noHash = '0'.repeat(64);

/** Says no value: somebody may have written a token where its hash should be. */
function hashProblems(hashes: unknown = {}, environment: string): readonly string[] {
  const form = `adminTokenHash must have one hash for each environment: {"${environment}": "<SHA-256 in hex>"}`;
  if (typeof hashes === 'string')
    return [
      `${form}; a single one lets the administrator of each into all: write it as that of the environment whose administrator has its token, and leave the others out, for the first 'serin deploy' of each makes its own`,
    ];
  if (!isObject(hashes)) return [form];
  const entries = Object.entries(hashes);
  const names = entries.map(([name]) => name);
  const alike = entries.filter(([name, hash]) => entries.some(([other, its]) => other !== name && its === hash));
  return [
    ...(names.includes(environment)
      ? []
      : [
          `adminTokenHash has none for ${environment}, but for ${names.join(', ') || 'no environment'}: 'serin deploy' makes a token and its hash`,
        ]),
    ...entries
      .filter(([, hash]) => typeof hash !== 'string' || !hashShape.test(hash))
      .map(
        ([name]) =>
          `adminTokenHash.${name} must be a SHA-256, 64 hex digits: leave it out, and the next 'serin deploy' of ${name} makes a new token`,
      ),
    ...(alike.length === 0
      ? []
      : [
          `adminTokenHash is the same for ${alike.map(([name]) => name).join(' and ')}: whoever has the token of one is the administrator of all; leave out all but one`,
        ]),
  ];
}
