import {
  DescribeEndpointCommand,
  type DescribeEndpointCommandOutput,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { ifThere } from '../faults.ts';

type Described = DescribeEndpointCommandOutput | undefined;

/** What SageMaker says of endpoints; `undefined`: there is no such endpoint. */
export interface Endpoints {
  /** Asked now. */
  describe(name: string): Promise<Described>;
  /** As it was said within the last half minute, else asked: for whoever reads minutes that are past. */
  described(name: string): Promise<Described>;
}

const keptMs = 30_000;
const remembers = 200;

/** Serving and telemetry look at an endpoint one after the other, and SageMaker throttles: they share what it said. */
export function sageMakerEndpoints({
  sagemaker,
  now,
}: {
  readonly sagemaker: SageMakerClient;
  readonly now: () => number;
}): Endpoints {
  const known = new Map<string, { readonly said: Described; readonly at: number }>();

  async function describe(name: string): Promise<Described> {
    const at = now();
    const command = new DescribeEndpointCommand({ EndpointName: name });
    const said = await ifThere(`looking at the endpoint ${name}`, () => sagemaker.send(command));
    if (known.size >= remembers) known.clear();
    known.set(name, { said, at });
    return said;
  }

  return {
    describe,
    async described(name) {
      const found = known.get(name);
      return found !== undefined && now() - found.at < keptMs ? found.said : describe(name);
    },
  };
}
