import type { Call } from './azure.ts';

/** Where the resources of Azure ML are. */
export interface MlPlace {
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly workspace: string;
}

// The version that azure-ai-ml 1.35.2 (PyPI) models: it has `mirrorTraffic`, `queueSettings` and `dataCollector`.
export const mlVersion = '2025-12-01';

/** The id of a workspace, as Azure's resource ids are written: with a `/` at its beginning. */
export const workspaceId = ({ subscription, resourceGroup, workspace }: MlPlace): string =>
  `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`;

type Given = Omit<Call, 'service' | 'name' | 'path'>;

/** A call of a resource in a workspace: `jobs/<name>`. */
export const mlCall = (place: MlPlace, path: string, { query = {}, ...given }: Given): Call => ({
  service: 'management',
  path: `${workspaceId(place).slice(1)}/${path}`,
  query: { 'api-version': mlVersion, ...query },
  ...given,
});

/** A call of what Azure ML keeps of a run: azure-ai-ml 1.35.2, `_restclient/runhistory`. A job's name is the id of its run. */
export const historyCall = (place: MlPlace & { readonly region: string }, path: string): Call => ({
  service: 'history',
  name: place.region,
  method: 'GET',
  path: `history/v1.0${workspaceId(place)}/${path}`,
  query: { 'api-version': 'v1.0' },
});
