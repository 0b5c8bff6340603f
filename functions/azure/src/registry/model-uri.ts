import type { MlPlace } from '../calls/ml.ts';
import { placeOf } from '../jobs/settings.ts';

interface Own extends MlPlace {
  readonly account: string;
  readonly ownContainer: string;
  /** That of the own container. */
  readonly datastore: string;
}

/**
 * The artifact as Azure ML takes it for a model: by the datastore of the own container. What is elsewhere stays as it is.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-manage-models#create-a-model-in-the-model-registry
 */
export function datastoreUri(
  uri: string,
  { account, ownContainer, datastore, subscription, resourceGroup, workspace }: Own,
): string {
  const found = placeOf(uri);
  if (found?.account !== account || found.bucket !== ownContainer) return uri;
  return `azureml://subscriptions/${subscription}/resourcegroups/${resourceGroup}/workspaces/${workspace}/datastores/${datastore}/paths/${found.key}`;
}
