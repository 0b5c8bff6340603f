import type { Azure } from '../calls/azure.ts';
import { guarded } from '../faults.ts';
import type { Endpoint } from './endpoints.ts';

/**
 * Lets an endpoint write its requests and what its programs print into tables of Log Analytics, each of its own. Twice: the
 * same.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-monitor-online-endpoints#use-logs
 */
export async function keepLogs(azure: Azure, { id = '' }: Endpoint, logWorkspace: string): Promise<void> {
  const categories = ['AmlOnlineEndpointTrafficLog', 'AmlOnlineEndpointConsoleLog'];
  const body = {
    properties: {
      workspaceId: logWorkspace,
      logAnalyticsDestinationType: 'Dedicated',
      logs: categories.map((category) => ({ category, enabled: true })),
    },
  };
  await guarded(`keeping the logs of the endpoint ${id}`, () =>
    azure.json({
      service: 'management',
      method: 'PUT',
      path: `${id.slice(1)}/providers/Microsoft.Insights/diagnosticSettings/serin`,
      query: { 'api-version': '2021-05-01-preview' },
      body,
      repeatable: true,
    }),
  );
}
