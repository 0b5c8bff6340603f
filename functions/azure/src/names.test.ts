import { expect, test } from 'vitest';
import { deploymentName, endpointName, nameOfDeployment } from './names.ts';

test.each(['fraud', 'a model / with a long name', '7'])('an endpoint has a name that Azure ML takes: %s', (model) => {
  for (const project of ['s', 'shop', 'a-project-of-a-long-name'])
    expect(endpointName({ environment: 'prod', project }, model)).toMatch(/^(?=.{3,32}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
});

test.each([
  ['v1', 'v01'],
  ['v9', 'v09'],
  ['v10', 'v10'],
  ['v123', 'v123'],
])('a deployment is told by another name, which Azure ML takes: %s', (name, told) => {
  expect([deploymentName(name), nameOfDeployment(told)]).toEqual([told, name]);
});
