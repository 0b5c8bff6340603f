import { clouds } from '@serin/clouds/clouds';
import type { Cloud, CloudFacts } from '@serin/clouds/facts';
import { problemsFailure } from '../config-file.ts';
import { Failure } from '../failure.ts';
import { type Invocation, textOption } from '../invocation.ts';
import { type Prepared, prepareRelease } from '../release.ts';

const known = Object.values(clouds);
const built = known.filter(({ deploys }) => deploys !== undefined);
const namesOf = (some: readonly CloudFacts[]): string => some.map(({ cloud }) => cloud).join(', ');

/** What is planned and deployed where nobody names a cloud. */
export const defaultCloud: Cloud = 'aws';

export type BuiltCloud = CloudFacts & Required<Pick<CloudFacts, 'deploys'>>;

type Options = Pick<Invocation, 'options'>;

/** The cloud that `--cloud` names, built or not; one that nobody knows is a usage error. */
export function knownCloud(invocation: Options): CloudFacts | undefined {
  const named = textOption(invocation, 'cloud');
  if (named === undefined) return undefined;
  const facts = known.find(({ cloud }) => cloud === named);
  if (facts !== undefined) return facts;
  throw new Failure(2, `Serin does not know the cloud '${named}' of --cloud`, { mend: `use ${namesOf(known)}` });
}

/** The cloud that `--cloud` names, or the default; one that Serin cannot be deployed to yet is a usage error. */
export function builtCloud(invocation: Options): BuiltCloud {
  const facts = knownCloud(invocation) ?? clouds[defaultCloud];
  const { deploys } = facts;
  if (deploys !== undefined) return { ...facts, deploys };
  throw new Failure(2, `Serin cannot be deployed to '${facts.cloud}' of --cloud yet`, {
    mend: `use ${namesOf(built)}; 'serin validate --cloud ${facts.cloud}' says what would not run there`,
  });
}

/** Said wherever a cloud is checked that nothing can be deployed to. */
export const notBuilt = ({ cloud }: CloudFacts): string =>
  `Serin cannot be deployed to ${cloud} yet: this says only whether the config would fit`;

/** The config as this cloud would run it. Throws a `Failure` with everything that the cloud cannot do. */
export async function prepareFor(file: string, facts: CloudFacts): Promise<Prepared> {
  const prepared = await prepareRelease(file, facts.cloud);
  const problems = facts.problemsOf(prepared.compiled);
  if (problems.length > 0) throw problemsFailure(file, problems);
  return prepared;
}
