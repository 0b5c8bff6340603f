import type { Tag } from '@aws-sdk/client-sagemaker';
import { endpointName } from '@serin/aws/names';
import { type Loop as Contract, installation, usersOf } from '../loop.contract.ts';
import type { LoopWorld } from './loop-world.ts';

const minute = 60_000;
/** From its creation to its end; in between it is in progress. */
const jobMs = 3 * minute;

interface Open {
  readonly name: string;
  readonly since: number;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * The other side of the world: jobs do their work and end, with what SageMaker would tell of them, and users send
 * requests to whatever serves.
 */
export function labour(loop: LoopWorld, models: readonly string[], told: number) {
  const open = new Map<string, Open & { readonly kind: 'training' | 'processing' }>();
  let seen = 0;
  const state: Contract['work'] & Pick<Contract, 'minute' | 'pass'> = {
    nextMape: 0.1,
    mapes: {},
    failing: undefined,
    minute: () => state.pass(minute),
    async pass(ms) {
      await loop.pass(ms);
      notice();
      for (const job of [...open.values()]) if (loop.now() - job.since >= jobMs) await finish(job);
      traffic();
    },
  };

  function notice(): void {
    for (const { operation, input } of loop.provider.calls.slice(seen)) {
      const kind =
        operation === 'sagemaker:CreateTrainingJob'
          ? 'training'
          : operation === 'sagemaker:CreateProcessingJob'
            ? 'processing'
            : undefined;
      const name = String(input.TrainingJobName ?? input.ProcessingJobName);
      if (kind !== undefined && !open.has(name)) open.set(name, { kind, name, since: loop.now(), input });
    }
    seen = loop.provider.calls.length;
  }

  async function finish({ kind, name, input }: Open & { readonly kind: 'training' | 'processing' }): Promise<void> {
    open.delete(name);
    if (kind === 'training') {
      const { S3OutputPath } = input.OutputDataConfig as { readonly S3OutputPath: string };
      await store(`${S3OutputPath.replace(/\/$/, '')}/${name}/output/model.tar.gz`, `the model of ${name}`);
      loop.jobs.train(name, {
        TrainingJobStatus: 'Completed',
        SecondaryStatus: 'Completed',
        TrainingStartTime: (loop.now() - 2 * minute) / 1000,
        TrainingEndTime: loop.now() / 1000,
      });
      await tell('Training', name, {
        TrainingJobName: name,
        TrainingJobStatus: 'Completed',
        SecondaryStatus: 'Completed',
      });
      return;
    }
    const { Outputs } = input.ProcessingOutputConfig as {
      readonly Outputs: readonly { readonly OutputName: string; readonly S3Output: { readonly S3Uri: string } }[];
    };
    for (const { OutputName, S3Output } of Outputs) {
      const file = OutputName === 'serin-metrics' ? 'metrics.json' : 'rows.csv';
      await store(
        `${S3Output.S3Uri.replace(/\/$/, '')}/${file}`,
        file === 'metrics.json' ? JSON.stringify({ mape: mapeOf(input) }) : 'price\n1\n',
      );
    }
    loop.jobs.process(name, { ProcessingJobStatus: 'Completed', ProcessingEndTime: loop.now() / 1000 });
    await tell('Processing', name, { ProcessingJobName: name, ProcessingJobStatus: 'Completed' });
  }

  function mapeOf({ Tags = [] }: { readonly Tags?: readonly Tag[] }): number {
    const model = Tags.find(({ Key }) => Key === 'serin:model')?.Value ?? '';
    return state.mapes[model] ?? state.nextMape;
  }

  async function store(uri: string, content: string): Promise<void> {
    const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    await loop.put(bucket, key, content);
  }

  async function tell(api: 'Training' | 'Processing', name: string, detail: object): Promise<void> {
    const message = {
      version: '0',
      id: `${name}-ended`,
      'detail-type': `SageMaker ${api} Job State Change`,
      source: 'aws.sagemaker',
      account: '123456789012',
      time: '2026-11-20T12:00:00Z',
      region: 'eu-west-1',
      resources: [`arn:aws:sagemaker:eu-west-1:123456789012:${api.toLowerCase()}-job/${name}`],
      detail: { ...detail, LastModifiedTime: loop.now() },
    };
    for (let time = 0; time < told; time += 1) await loop.send(message);
  }

  function traffic(): void {
    for (const endpoint of models.map((model) => endpointName(installation, model))) {
      const weights = (served(endpoint) ?? []).map(({ name, weight }) => [name, weight] as const);
      for (const { deployment: variant, at, latencyMs, ended } of usersOf(weights, loop.now(), state.failing))
        loop.metrics.answered.push({ endpoint, variant, at, latencyMs, outcome: outcomes[ended] });
    }
  }

  function served(name: string) {
    try {
      return loop.endpoints.endpointOf(name).production;
    } catch {
      return undefined; // there is no endpoint yet
    }
  }

  return state;
}

/** Of a model that hangs SageMaker answers in its place. */
const outcomes = { well: '2xx', failed: '5xx', never: 'none' } as const;
