import { isDeepStrictEqual } from 'node:util';
import { Refusal, Reply, type Request, type Routes } from './rest.ts';

interface Version {
  // biome-ignore lint/suspicious/noExplicitAny: a body that Microsoft's models have passed
  properties: any;
}

/** What Azure ML does not change in a version that is there. */
const fixed = {
  models: ['modelType', 'modelUri', 'properties'],
  environments: ['image', 'inferenceConfig', 'osType'],
  data: ['dataType', 'dataUri'],
} as const;

/**
 * Models, environments and data assets of Azure ML, each with its versions.
 *
 * A guess: that other content under a name is refused, and how (`refusesBy`), and that a part that changes nothing is taken.
 */
export function fakeModels(how: { refusesBy: number } = { refusesBy: 409 }) {
  const versions = new Map<string, Version>();

  const keyOf = (kind: string, { params }: Request) => `${kind}/${params.name}/versions/${params.version}`;

  function shown(key: string, { params }: Request, { properties }: Version): object {
    const workspace = `/subscriptions/${params.subscription}/resourceGroups/${params.resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${params.workspace}`;
    return {
      id: `${workspace}/${key}`,
      name: params.version,
      type: `Microsoft.MachineLearningServices/workspaces/${key.replace(/\/.*/, '')}/versions`,
      properties: {
        isAnonymous: false,
        isArchived: false,
        ...properties,
        ...(key.startsWith('data/') ? {} : { stage: null }),
      },
    };
  }

  const kind = (name: keyof typeof fixed): Routes => ({
    [`GET ${name}/{name}/versions/{version}`]: (request) => {
      const key = keyOf(name, request);
      const found = versions.get(key);
      if (found === undefined) throw new Refusal(404, 'UserError', `Not found: ${key}`);
      return shown(key, request, found);
    },
    [`PUT ${name}/{name}/versions/{version}`]: (request) => {
      const key = keyOf(name, request);
      const found = versions.get(key);
      const { properties } = request.body;
      const changed = fixed[name].find(
        (field) => found !== undefined && !isDeepStrictEqual(found.properties[field], properties[field]),
      );
      if (changed !== undefined)
        throw new Refusal(how.refusesBy, 'UserError', `${changed} of a version that exists cannot be changed: ${key}`);
      versions.set(key, { properties });
      return new Reply(found === undefined ? 201 : 200, shown(key, request, { properties }));
    },
  });

  return {
    routes: { ...kind('models'), ...kind('environments'), ...kind('data') } as Routes,
    versions,
    has: (id: string) => versions.has(id.replace(/^.*?\/(?=(models|environments|data)\/)/, '')),
    imageOf: (id: string): string => versions.get(id.replace(/^.*?\/(?=environments\/)/, ''))?.properties.image ?? '',
  };
}

export type FakeModels = ReturnType<typeof fakeModels>;
