import {
  CreateEndpointCommand,
  DeleteEndpointCommand,
  type ProductionVariant,
  type SageMakerClient,
  UpdateEndpointCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
} from '@aws-sdk/client-sagemaker';
import { Fault } from '@serin/core/base/fault';
import { awsFault, messageOfError, saysExists, saysMissing } from '../faults.ts';
import type { Plan } from './configs.ts';
import type { Hosted } from './hosted.ts';

export type Issued = 'accepted' | 'busy';

/** The calls that begin a change of an endpoint. `busy`: another change was faster. */
export function endpointCalls(sagemaker: SageMakerClient) {
  async function issue(doing: string, call: () => Promise<unknown>): Promise<Issued> {
    try {
      await call();
      return 'accepted';
    } catch (error) {
      const message = messageOfError(error);
      // "The response might include some stale data ... retry logic is recommended" (API reference, CreateEndpoint).
      if (saysMissing(error) && /endpoint.?config/i.test(message))
        throw new Fault('unavailable', `${doing} failed; wait, it is tried again: ${message}`, { cause: error });
      if (isRace(error, message)) return 'busy';
      throw awsFault(error, doing);
    }
  }

  return {
    create: (name: string, config: string, tags: { Key: string; Value: string }[]) =>
      issue(`creating the endpoint ${name}`, () =>
        sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: config, Tags: tags })),
      ),
    update: (name: string, config: string, weights: 'retained' | 'of the config') =>
      issue(`updating the endpoint ${name}`, () =>
        sagemaker.send(
          new UpdateEndpointCommand({
            EndpointName: name,
            EndpointConfigName: config,
            // Else instances that the load brought meanwhile would go back to what the config says.
            RetainAllVariantProperties: true,
            ...(weights === 'retained'
              ? {}
              : { ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredWeight' }] }),
          }),
        ),
      ),
    weigh: (name: string, weights: Readonly<Record<string, number>>) =>
      issue(`weighing the endpoint ${name}`, () =>
        sagemaker.send(
          new UpdateEndpointWeightsAndCapacitiesCommand({
            EndpointName: name,
            DesiredWeightsAndCapacities: Object.entries(weights).map(([VariantName, DesiredWeight]) => ({
              VariantName,
              DesiredWeight,
            })),
          }),
        ),
      ),
    remove: (name: string) =>
      issue(`deleting the endpoint ${name}`, () => sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }))),
  };
}

// ValidationException: `Cannot update in-progress endpoint "arn"`, `Cannot create already existing endpoint "arn"` and
// `Could not find endpoint "arn"` (the messages that aws-controllers-k8s/sagemaker-controller matches as well).
const isRace = (error: unknown, message: string): boolean =>
  /in-progress endpoint/i.test(message) || saysExists(error) || saysMissing(error);

/** The serving plan with the weights and instances that really are. */
export const actualPlan = (hosted: Hosted, plan: Plan): Plan => {
  const actual = (variant: ProductionVariant): ProductionVariant => {
    const seen = [...hosted.production, ...(hosted.shadow === undefined ? [] : [hosted.shadow])].find(
      ({ name }) => name === variant.VariantName,
    );
    return seen === undefined
      ? variant
      : { ...variant, InitialVariantWeight: seen.weight, InitialInstanceCount: Math.max(1, seen.count) };
  };
  return {
    ...plan,
    production: plan.production.map(actual),
    ...(plan.shadow === undefined ? {} : { shadow: actual(plan.shadow) }),
  };
};
