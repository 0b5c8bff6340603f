import { endpointName } from '@serin/aws/names';
import { type CapturedLoop, capturedModels, type Exchange } from '../captured.ts';
import { installation } from '../loop.contract.ts';
import { openMishaps } from '../mishaps.ts';
import { openLoop } from './open-loop.ts';

/** The loop of which the cloud keeps copies of requests as it was told; each thing that happens is told twice. */
export async function openCapturedLoop(): Promise<CapturedLoop> {
  const mishaps = openMishaps();
  const loop = await openLoop({ models: capturedModels, told: 2, mishaps, batch: 1 });
  const { world } = loop;
  const { names, provider, endpoints, roles } = world;

  /** Where SageMaker puts the copies of the requests of an hour, as the config of the endpoint says. */
  function folderOf(model: string, at: number, deployment?: string): string {
    const { EndpointConfigName } = endpoints.sagemaker.DescribeEndpoint({
      EndpointName: endpointName(installation, model),
    });
    const { DataCaptureConfig: capture } = endpoints.sagemaker.DescribeEndpointConfig({ EndpointConfigName });
    const { production } = endpoints.endpointOf(endpointName(installation, model));
    const variant = deployment === undefined ? production[0] : production.find(({ name }) => name === deployment);
    const modes = capture?.CaptureOptions?.map(({ CaptureMode }) => CaptureMode).join();
    if (
      variant === undefined ||
      capture?.EnableCapture !== true ||
      capture.InitialSamplingPercentage !== 100 ||
      modes !== 'Input,Output'
    )
      throw new Error(`${model} is not captured: ${JSON.stringify(capture)}`);
    const hour = new Date(at).toISOString().slice(0, 13).replaceAll(/[-T]/g, '/');
    const place = `${capture.DestinationS3Uri}/${endpointName(installation, model)}/${variant.name}/${hour}`;
    return place.replace(`s3://${names.own}/`, '');
  }

  return {
    ...loop,
    ...{ mishaps, now: world.now },
    put: (key, content) => world.put(names.drops, key, content),
    async keep(model, exchanges) {
      for (const [folder, of] of Map.groupBy(exchanges, ({ at, deployment }) => folderOf(model, at, deployment)))
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
  const eventMetadata = {
    eventId: `event-${id}`,
    inferenceId: id,
    inferenceTime: `${new Date(at).toISOString().slice(0, 19)}Z`,
  };
  return `${JSON.stringify({ captureData, eventMetadata, eventVersion: '0' })}\n`;
}
