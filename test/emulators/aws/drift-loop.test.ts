import { endpointName } from '@serin/aws/names';
import { type DriftLoop, driftLoopContract, driftModels, type Exchange } from '../drift-loop.contract.ts';
import { emulated } from '../emulated.ts';
import { installation } from '../loop.contract.ts';
import { openMishaps } from '../mishaps.ts';
import { openLoop } from './open-loop.ts';

async function openDriftLoop(): Promise<DriftLoop> {
  const mishaps = openMishaps();
  const loop = await openLoop({ models: driftModels, told: 2, mishaps, batch: 1 });
  const { world } = loop;
  const { names, provider, endpoints, roles } = world;

  /** Where SageMaker puts the copies of the requests of an hour, as the config of the endpoint says. */
  function folderOf(model: string, at: number): string {
    const { EndpointConfigName } = endpoints.sagemaker.DescribeEndpoint({
      EndpointName: endpointName(installation, model),
    });
    const { DataCaptureConfig: capture } = endpoints.sagemaker.DescribeEndpointConfig({ EndpointConfigName });
    const [variant] = endpoints.endpointOf(endpointName(installation, model)).production;
    const modes = capture?.CaptureOptions?.map(({ CaptureMode }) => CaptureMode).join();
    if (capture?.EnableCapture !== true || capture.InitialSamplingPercentage !== 100 || modes !== 'Input,Output')
      throw new Error(`${model} is not captured: ${JSON.stringify(capture)}`);
    const hour = new Date(at).toISOString().slice(0, 13).replaceAll(/[-T]/g, '/');
    const place = `${capture.DestinationS3Uri}/${endpointName(installation, model)}/${variant?.name}/${hour}`;
    return place.replace(`s3://${names.own}/`, '');
  }

  return {
    ...loop,
    ...{ mishaps, now: world.now },
    put: (key, content) => world.put(names.drops, key, content),
    async keep(model, exchanges) {
      for (const [folder, of] of Map.groupBy(exchanges, ({ at }) => folderOf(model, at)))
        await world.put(names.own, `${folder}/00-01-002-${of[0]?.id}.jsonl`, of.map(lineOf).join(''));
    },
    spoil: async (model, at) => {
      await world.put(names.own, `${folderOf(model, at)}/00-00-001-spoilt.jsonl`, '{"captureData":\n\u0000\u0001\n');
    },
    announced: () =>
      world.forwarded
        .filter(({ target }) => target === 'AWSEvents.PutEvents')
        .flatMap(({ body }) => JSON.parse(body).Entries.map(({ Detail }: { Detail: string }) => JSON.parse(Detail))),
    jobsOf(model) {
      const jobs = new Map<string, string>();
      for (const { operation, input } of provider.calls) {
        if (!/:Create(Training|Processing)Job$/.test(operation)) continue;
        const tags = new Map((input.Tags as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]));
        if (tags.get('serin:model') !== model) continue;
        jobs.set(String(input.TrainingJobName ?? input.ProcessingJobName), tags.get('serin:kind') ?? '');
      }
      return [...jobs.values()];
    },
    refused: roles.refused,
    done: roles.done,
  };
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html */
function lineOf({ at, id, body, answer }: Exchange): string {
  const json = { observedContentType: 'application/json', encoding: 'JSON' };
  const captureData = {
    endpointInput: { ...json, mode: 'INPUT', data: JSON.stringify(body) },
    endpointOutput: { ...json, mode: 'OUTPUT', data: JSON.stringify(answer) },
  };
  const eventMetadata = { eventId: id, inferenceTime: `${new Date(at).toISOString().slice(0, 19)}Z` };
  return `${JSON.stringify({ captureData, eventMetadata, eventVersion: '0' })}\n`;
}

emulated('the loop of drift on AWS', () => {
  driftLoopContract(openDriftLoop, {
    needs: [
      /^signals s3:ListBucket own$/,
      /^signals s3:GetObject own captured$/,
      /^signals s3:(Get|Put)Object own drift$/,
      /^signals s3:PutObject own profiles$/,
      /^signals s3:PutObject own references$/,
      /^signals s3:PutObject own reports$/,
      /^api s3:GetObject own reports$/,
      /^api s3:GetObject own labels$/,
      /^api s3:PutObject own labels$/,
      /^signals s3:PutObject own labels$/,
    ],
  });
});
