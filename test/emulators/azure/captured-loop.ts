import { endpointName, nameOfDeployment } from '@serin/azure/names';
import { type CapturedLoop, capturedModels } from '../captured.ts';
import { installation } from '../loop.contract.ts';
import { openMishaps } from '../mishaps.ts';
import { deployed, names } from './functions-world.ts';
import { openLoop } from './open-loop.ts';

type Collection = 'request' | 'response';

/** The loop of which the cloud keeps copies of requests as it was told; each thing that happens is told twice. */
export async function openCapturedLoop(): Promise<CapturedLoop> {
  const mishaps = openMishaps();
  const loop = await openLoop({ models: capturedModels, told: 2, mishaps });
  const { world } = loop;
  const { azure, endpoints, jobs, roles } = world;

  /** Where Azure ML puts what it collects in an hour, as the deployment and its data asset say. */
  function folderOf(model: string, collection: Collection, at: number, deployment?: string): string {
    const { deployments, traffic } = endpoints.endpointAt(endpointName(installation, model));
    const serving = [...deployments.values()].find(({ name }) =>
      deployment === undefined ? (traffic[name] ?? 0) > 0 : nameOfDeployment(name) === deployment,
    );
    const { collections, rollingRate } = Object(serving?.body.properties.dataCollector);
    const { dataCollectionMode, dataId = '', samplingRate } = Object(collections?.[collection]);
    const [, version = ''] = /(data\/.*)$/.exec(dataId) ?? [];
    const asset = endpoints.models.versions.get(version)?.properties.dataUri ?? '';
    const [, store, path] = /^azureml:\/\/datastores\/(\w+)\/paths\/(.+)$/.exec(asset) ?? [];
    const isOwn = store === deployed.workspace.datastore.name && path !== undefined;
    if (dataCollectionMode !== 'Enabled' || samplingRate !== 1 || rollingRate !== 'Hour' || !isOwn)
      throw new Error(`${model} is not captured: ${JSON.stringify(serving?.body.properties.dataCollector)} ${asset}`);
    return `${path}/${new Date(at).toISOString().slice(0, 13).replaceAll(/[-T]/g, '/')}`;
  }

  return {
    ...loop,
    ...{ mishaps, now: world.now },
    put: (key, content) => azure.put(names.drops, key, content),
    async keep(model, exchanges) {
      for (const collection of ['request', 'response'] as const)
        for (const [folder, of] of Map.groupBy(exchanges, ({ at, deployment }) =>
          folderOf(model, collection, at, deployment),
        )) {
          const lines = of.map(({ at, id, body, answer }) =>
            lineOf(collection, at, id, collection === 'request' ? body : answer),
          );
          await azure.put(names.own, `${folder}/${of[0]?.id}.jsonl`, lines.join(''));
        }
    },
    spoil: (model, at) =>
      azure.put(names.own, `${folderOf(model, 'request', at)}/0-spoilt.jsonl`, '{"time":\n\u0000\u0001\n'),
    announced: () =>
      azure.bus.sent
        .filter(({ entity }) => entity === names.topic)
        .flatMap(({ messages }) =>
          messages.map(({ body }) => JSON.parse(Buffer.from(body.content ?? body).toString())),
        ),
    jobsOf: (model) =>
      [...jobs.jobs.values()].flatMap(({ properties: { tags } }) =>
        tags['serin-model'] === model ? [tags['serin-kind']] : [],
      ),
    refused: roles.refused,
    done: roles.done,
  };
}

/** https://learn.microsoft.com/azure/machine-learning/how-to-collect-production-data#store-collected-data-in-blob-storage */
const lineOf = (collection: Collection, at: number, correlationid: string, data: object): string =>
  `${JSON.stringify({
    ...{ specversion: '1.0', id: `${collection}-${correlationid}`, type: `azureml.inference.${collection}` },
    ...{ source: '/subscriptions/s', time: new Date(at).toISOString(), datacontenttype: 'application/json' },
    ...{ data, correlationid },
  })}\n`;
