import { type Installation, nameOf } from '@serin/platform/names';

/** Azure ML's limits for names: endpoints 3 to 32, a letter first; jobs and models up to 255. */
const mostOf = { endpoint: 32, job: 63, model: 63, environment: 63, data: 63 } as const;

/** A name of Azure ML's for a key of ours. */
export const mlName = (installation: Installation, kind: keyof typeof mostOf, readable: string, key: string): string =>
  nameOf(installation, kind, { readable, key, max: mostOf[kind] });

/**
 * The name is unique in its region, for all customers: the hash makes it so. "Single dashes are accepted."
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas#azure-machine-learning-online-endpoints-and-batch-endpoints
 */
export const endpointName = (installation: Installation, model: string): string =>
  mlName(installation, 'endpoint', model, model).replace(/-+/g, '-');

/** What Azure ML calls a deployment: its names have at least three characters, `v1` has two. */
export const deploymentName = (name: string): string => `v${name.slice(1).padStart(2, '0')}`;

/** What we call a deployment of Azure ML. */
export const nameOfDeployment = (deployment: string): string => deployment.replace(/^v0(?=\d)/, 'v');

/** The model of Azure ML's registry whose versions are ours. */
export const modelName = (installation: Installation, model: string): string =>
  mlName(installation, 'model', model, model);

/**
 * Tags by which an installation is told from others. A value has 256 characters at most.
 *
 * https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
 */
export const tagsOf = (
  { project, environment }: Installation,
  more: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries({ 'serin-project': project, 'serin-environment': environment, ...more }).map(([key, value]) => [
      key,
      value.slice(0, 256),
    ]),
  );
