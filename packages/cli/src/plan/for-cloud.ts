import { clouds } from '@serin/clouds/clouds';
import type { Cloud, CloudFacts } from '@serin/clouds/facts';
import { problemsFailure } from '../config-file.ts';
import { Failure } from '../failure.ts';
import { type Invocation, textOption } from '../invocation.ts';
import { type Prepared, prepareRelease } from '../release.ts';

const known = Object.values(clouds);

/** What is planned and deployed where nobody names a cloud. */
export const defaultCloud: Cloud = 'aws';

type Options = Pick<Invocation, 'options'>;

/** The cloud that `--cloud` names; one that nobody knows is a usage error. */
export function namedCloud(invocation: Options): CloudFacts | undefined {
  const named = textOption(invocation, 'cloud');
  return named === undefined ? undefined : factsOf(named);
}

/** The clouds that `--cloud` names, with commas between them. */
export const knownClouds = (invocation: Options): readonly CloudFacts[] | undefined =>
  textOption(invocation, 'cloud')
    ?.split(',')
    .map((name) => factsOf(name.trim()));

function factsOf(named: string): CloudFacts {
  const facts = known.find(({ cloud }) => cloud === named);
  if (facts !== undefined) return facts;
  throw new Failure(2, `Serin does not know the cloud '${named}' of --cloud`, {
    mend: `use ${known.map(({ cloud }) => cloud).join(', ')}`,
  });
}

/** The cloud that `--cloud` names, or the default. */
export const cloudOf = (invocation: Options): CloudFacts => namedCloud(invocation) ?? clouds[defaultCloud];

/** The config as this cloud would run it. Throws a `Failure` with everything that the cloud cannot do. */
export async function prepareFor(file: string, facts: CloudFacts): Promise<Prepared> {
  const prepared = await prepareRelease(file, facts.cloud);
  const problems = facts.problemsOf(prepared.compiled);
  if (problems.length > 0) throw problemsFailure(file, problems, prepared.config.placeOf);
  return prepared;
}
