import { expect, test } from 'vitest';
import { withoutVariables } from './signals.ts';

const environmentVariables = { API_KEY: 'canary-of-a-secret' };
const job = (more: object) => ({ properties: { jobType: 'Command', command: 'python train.py', ...more } });
const alert = (request: object) => ({
  schemaId: 'azureMonitorCommonAlertSchema',
  data: { alertContext: { properties: { requestbody: JSON.stringify(request) } } },
});

test.each([
  ['as it stands', job({ environmentVariables }), job({})],
  ['of the documentation', { data: { EnvironmentVariables: environmentVariables } }, { data: {} }],
  ['in an alert on the activity log', alert(job({ environmentVariables })), alert(job({}))],
  ['in an array', [alert(job({ environmentVariables }))], [alert(job({}))]],
])('of a request nothing is kept of the variables of its job, secrets among them (%s)', (_, body, kept) => {
  expect(JSON.parse(withoutVariables(JSON.stringify(body)))).toEqual(kept);
});

test.each(['no JSON "environmentVariables"', '{ "text": "{no JSON: environmentVariables" }', '{ "n": 1 }'])(
  'anything else stays as it is: %s',
  (body) => {
    expect(withoutVariables(body)).toBe(body);
  },
);
