import { type Installation, nameOf } from '@serin/platform/names';

/** SageMaker's limit for the names of jobs, models, endpoints and their configs: 63 of `[a-zA-Z0-9](-*[a-zA-Z0-9])*`. */
const max = 63;

/** A name of SageMaker's for a key of ours, in lower case as its ARN will be. */
export const sageMakerName = (installation: Installation, kind: string, readable: string, key: string): string =>
  nameOf(installation, kind, { readable, key, max });

export const endpointName = (installation: Installation, model: string): string =>
  sageMakerName(installation, 'endpoint', model, model);

export const groupName = (installation: Installation, model: string): string =>
  sageMakerName(installation, 'group', model, model);

/** What every resource of an installation carries, and what adoption compares. */
export const tagsOf = ({ project, environment }: Installation, more: Readonly<Record<string, string>>) =>
  Object.entries({ 'serin:project': project, 'serin:environment': environment, ...more }).map(([Key, Value]) => ({
    Key,
    // Tag values: letters, digits, spaces and `_.:/=+-@`, 256 at most (botocore: sagemaker Tag.Value).
    Value: Value.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '_').slice(0, 256),
  }));
