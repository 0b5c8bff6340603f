import { type Azure, AzureError } from '../calls/azure.ts';
import { guarded } from '../faults.ts';
import type { Endpoint } from './endpoints.ts';

/**
 * Lets an endpoint write its requests and what its programs print into tables of Log Analytics, each of its own. Twice: the
 * same. What somebody else, such as a policy of the subscription, lets it write to the same workspace already is left to
 * them: Azure Monitor takes no second setting for it.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-monitor-online-endpoints#use-logs
 */
export async function keepLogs(azure: Azure, endpoint: Endpoint, logWorkspace: string): Promise<void> {
  let categories: readonly string[] = ['AmlOnlineEndpointTrafficLog', 'AmlOnlineEndpointConsoleLog'];
  while (categories.length > 0) {
    const taken = await putSetting(azure, endpoint, { logWorkspace, categories });
    if (taken === undefined) return;
    categories = categories.filter((category) => !isSame(category, taken));
  }
}

/** Answers the first category that another setting has. */
async function putSetting(
  azure: Azure,
  { id = '' }: Endpoint,
  { logWorkspace, categories }: { readonly logWorkspace: string; readonly categories: readonly string[] },
): Promise<string | undefined> {
  const body = {
    properties: {
      workspaceId: logWorkspace,
      logAnalyticsDestinationType: 'Dedicated',
      logs: categories.map((category) => ({ category, enabled: true })),
    },
  };
  return guarded(`keeping the logs of the endpoint ${id}`, async () => {
    try {
      await azure.json({
        service: 'management',
        method: 'PUT',
        path: `${id.slice(1)}/providers/Microsoft.Insights/diagnosticSettings/serin`,
        query: { 'api-version': '2021-05-01-preview' },
        body,
        repeatable: true,
      });
      return undefined;
    } catch (error) {
      const taken = takenIn(error);
      if (taken === undefined || !categories.some((category) => isSame(category, taken))) throw error;
      return taken;
    }
  });
}

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** https://github.com/Azure/bicep-registry-modules/issues/3407 */
const takenIn = (error: unknown): string | undefined =>
  error instanceof AzureError && error.status === 409
    ? /already used in diagnostic settings? '[^']*' for category '(\w+)'/.exec(error.message)?.[1]
    : undefined;
