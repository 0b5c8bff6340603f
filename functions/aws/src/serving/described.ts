import {
  DescribeEndpointCommand,
  type DescribeEndpointCommandOutput,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { recentAnswers } from '@serin/platform/recent';
import { ifThere } from '../faults.ts';

type Described = DescribeEndpointCommandOutput | undefined;

/** What SageMaker says of endpoints; `undefined`: there is no such endpoint. */
export interface Endpoints {
  /** Asked now. */
  describe(name: string): Promise<Described>;
  /** As it was said within the last half minute, else asked: for whoever reads minutes that are past. */
  described(name: string): Promise<Described>;
}

interface Options {
  readonly sagemaker: SageMakerClient;
  readonly now: () => number;
}

export function sageMakerEndpoints({ sagemaker, now }: Options): Endpoints {
  const ask = (EndpointName: string): Promise<Described> =>
    ifThere(`looking at the endpoint ${EndpointName}`, () =>
      sagemaker.send(new DescribeEndpointCommand({ EndpointName })),
    );
  const { askedNow, saidLately } = recentAnswers({ ask, keptMs: 30_000, now });
  return { describe: askedNow, described: saidLately };
}
