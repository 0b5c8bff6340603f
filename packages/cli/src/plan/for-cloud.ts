import type { Cloud } from '@serin/clouds/accelerators';
import { platformProblems } from '@serin/clouds/platform-limits';
import { problemsFailure } from '../config-file.ts';
import { Failure } from '../failure.ts';
import { type Invocation, textOption } from '../invocation.ts';
import { type Prepared, prepareRelease } from '../release.ts';

/** Clouds that Serin can be deployed to. */
const clouds: readonly Cloud[] = ['aws'];

/** The cloud that `--cloud` names; a cloud that cannot be deployed to yet is a usage error. */
export function cloudOption(invocation: Pick<Invocation, 'options'>): Cloud | undefined {
  const named = textOption(invocation, 'cloud');
  if (named === undefined) return undefined;
  const cloud = clouds.find((one) => one === named);
  if (cloud !== undefined) return cloud;
  throw new Failure(2, `--cloud is '${named}', which Serin cannot be deployed to`, {
    mend: `use ${clouds.join(', ')}`,
  });
}

/** The config as this cloud would run it. Throws a `Failure` with everything that the cloud cannot do. */
export async function prepareFor(file: string, cloud: Cloud): Promise<Prepared> {
  const prepared = await prepareRelease(file, cloud);
  const problems = platformProblems(prepared.compiled, cloud);
  if (problems.length > 0) throw problemsFailure(file, problems);
  return prepared;
}
