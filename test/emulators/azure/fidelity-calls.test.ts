import { expect, test } from 'vitest';
import { azureCall } from './fidelity-calls.ts';

test.each([
  ['PUT jobs/{id}', 'PUT jobs/{name}'],
  [
    'PUT onlineEndpoints/{endpointName}/deployments/{deploymentName}',
    'PUT onlineEndpoints/{endpoint}/deployments/{name}',
  ],
  ['blob:GetBlob', 'Get Blob'],
  ['table:EntityGroupTransaction', 'Entity Group Transaction'],
  ['servicebus:Send', 'send to the topic'],
  ['servicebus:Send', 'send to the queue'],
  ['GET vault:/secrets/{secret}', 'Get Secret'],
  ['POST logs:/v1/workspaces/{workspace}/query', 'POST workspaces/{id}/query'],
  [
    'GET history:/history/v1.0/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}/runs/{run}/details',
    'GET history:/runs/{name}/details',
  ],
  [
    'PUT /subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Insights/autoscalesettings/{setting}',
    'PUT /{group}/providers/Microsoft.Insights/autoscalesettings/{name}',
  ],
  ['GET /{resource+}/providers/Microsoft.Insights/metrics', 'GET Microsoft.Insights/metrics'],
  [
    'GET /subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/mfeOperationsStatus/{operation}',
    'GET Microsoft.MachineLearningServices/locations/{location}/mfeOperationsStatus/{id}',
  ],
])('a call is the same, as a suite writes it down and as a role has it: %s', (recorded, listed) => {
  expect(azureCall(recorded)).toBe(azureCall(listed));
});

test('calls that differ stay apart', () => {
  const said = [
    'PUT jobs/{id}',
    'GET jobs/{id}',
    'GET jobs',
    'POST jobs/{id}/cancel',
    'Get Blob',
    'Put Blob',
    'List Blobs',
  ];

  expect(new Set(said.map(azureCall)).size).toBe(said.length);
});
