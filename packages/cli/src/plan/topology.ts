import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Cloud } from '@serin/clouds/accelerators';
import type { Grant, Topology } from '../../../../infra/shared/shapes.ts';
import { Failure } from '../failure.ts';
import { type Invocation, textOption } from '../invocation.ts';
import { type SettingsContent, settingsName } from './settings.ts';

export type { Grant, Topology };

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
const modules: Partial<Record<Cloud, { readonly topology: readonly string[]; readonly requests: readonly string[] }>> =
  {
    aws: {
      topology: [join(here, 'aws-topology.js'), join(repository, 'infra', 'aws', 'topology.ts')],
      requests: [join(here, 'aws-requests.cjs'), join(repository, 'functions', 'aws', 'src', 'plan.ts')],
    },
  };

/** The module of a cloud that says what is deployed, or which requests are sent. */
export async function cloudModule<Module>(cloud: Cloud, part: 'topology' | 'requests'): Promise<Module> {
  const places = modules[cloud]?.[part] ?? [];
  const file = places.find((place) => existsSync(place));
  if (file === undefined)
    throw new Failure(1, `this package of serin was made without the ${part} of ${cloud}`, {
      why: `${places.map((place) => basename(place))[0] ?? 'its module'} is not in it`,
      mend: `run it from a copy of Serin's repository, after 'npm ci' and 'npm ci --prefix functions/${cloud}'`,
    });
  // Its exports are what the interface of the caller says: both are of one release.
  return (await import(pathToFileURL(file).href)) as Module;
}

export interface Place {
  readonly account: string;
  readonly region: string;
}

/** What places look like; whether there is such a one only AWS can say. */
const shapes = {
  account: { of: /^\d{12}$/, mend: 'an account has 12 digits: `aws sts get-caller-identity` shows yours' },
  region: { of: /^[a-z]{2}(-[a-z]+)+-\d$/, mend: "a region is one such as 'eu-west-1'" },
} as const;

/** Where it is planned for. Nothing asks AWS: what is not said stands as a placeholder. Misspelt: a `Failure`. */
export function placeOf(invocation: Pick<Invocation, 'options' | 'env'>): Place {
  const { env } = invocation;
  const said = {
    account: textOption(invocation, 'account'),
    region: textOption(invocation, 'region') ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
  };
  for (const name of ['account', 'region'] as const) {
    const value = said[name];
    if (value !== undefined && !shapes[name].of.test(value))
      throw new Failure(2, `the ${name} is '${value}'`, { mend: shapes[name].mend });
  }
  return { account: said.account ?? '<account>', region: said.region ?? '<region>' };
}

/**
 * Everything that an installation consists of. Throws a `Failure` with all that is wrong with its settings: nothing is
 * planned, written or run that would not be what they say.
 */
export async function topologyOf(
  content: SettingsContent,
  cloud: Cloud,
  { account, region }: Place,
): Promise<Topology> {
  const { readSettings, topology } = await cloudModule<TopologyModule>(cloud, 'topology');
  const read = readSettings(content, content.environment);
  if ('problems' in read) throw settingsFailure(read.problems);
  const urlSuffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return topology(read.settings, { partition, region, account, urlSuffix });
}

function settingsFailure(problems: readonly string[]): Failure {
  const title = `${settingsName} cannot be deployed: ${problems.length} thing(s) wrong`;
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
