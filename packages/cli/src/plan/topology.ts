import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Cloud, CloudFacts } from '@serin/clouds/facts';
import type { Grant, StateOf, TeamState, Topology } from '../../../../infra/shared/shapes.ts';
import { Failure } from '../failure.ts';
import type { Place } from './place.ts';
import { type SettingsContent, settingsNameOf } from './settings.ts';

export type { Grant, StateOf, TeamState, Topology };

interface TopologyModule {
  readonly readSettings: (
    content: object,
    environment: string,
  ) => { readonly settings: object } | { readonly problems: readonly string[] };
  readonly topology: (settings: object, where: object) => Topology;
}

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, '..', '..', '..', '..');

/** Beside this file in the published package, in its own folder in the repository: nothing here depends on it. */
const modules = {
  topology: (cloud: Cloud) => [join(here, `${cloud}-topology.js`), join(repository, 'infra', cloud, 'topology.ts')],
  /** Only of a cloud in which SST keeps no state. */
  state: (cloud: Cloud) => [join(here, `${cloud}-state.js`), join(repository, 'infra', cloud, 'state.ts')],
  requests: (cloud: Cloud) => [
    join(here, `${cloud}-requests.cjs`),
    join(repository, 'functions', cloud, 'src', 'plan.ts'),
  ],
};

const fileOf = (places: readonly string[]): string | undefined => places.find((place) => existsSync(place));

export const hasModule = (cloud: Cloud, part: keyof typeof modules): boolean =>
  fileOf(modules[part](cloud)) !== undefined;

/** The module of a cloud that says what is deployed, or which requests are sent, or that keeps a state. */
export async function cloudModule<Module>(cloud: Cloud, part: keyof typeof modules): Promise<Module> {
  const places = modules[part](cloud);
  const file = fileOf(places);
  if (file === undefined)
    throw new Failure(1, `this package of serin does not contain the ${part} of ${cloud}`, {
      why: `${places.map((place) => basename(place))[0] ?? 'its module'} is not in it`,
      mend: `run it from a copy of Serin's repository, after 'npm ci' and 'npm ci --prefix functions/${cloud}'`,
    });
  // Its exports are what the interface of the caller says: both are of one release.
  return (await import(pathToFileURL(file).href)) as Module;
}

/**
 * Everything that an installation consists of. Throws a `Failure` with all that is wrong with its settings: nothing is
 * planned, written or run that would not be what they say.
 */
export async function topologyOf(
  content: SettingsContent,
  { cloud, places }: CloudFacts,
  { account, region }: Place,
): Promise<Topology> {
  const { readSettings, topology } = await cloudModule<TopologyModule>(cloud, 'topology');
  const read = readSettings(content, content.environment);
  if ('problems' in read) throw settingsFailure(settingsNameOf(cloud), read.problems);
  return topology(read.settings, { region, account, ...places.partitionOf(region) });
}

function settingsFailure(file: string, problems: readonly string[]): Failure {
  const title = `${file} cannot be deployed: ${problems.length} thing(s) wrong`;
  const errors = problems.map((detail) => ({ detail }));
  return new Failure(2, title, {
    details: problems,
    problem: {
      type: 'urn:serin:problem:config',
      title,
      detail: `${title}; nothing was changed`,
      code: 'config',
      errors,
    },
  });
}
