import { type Call, callsOf, type PortName, type When } from './calls.ts';
import type { Places } from './places.ts';
import type { Conditions, Grant, Statement } from './shapes.ts';

export const conditionsOf = ({ settings, where }: Places): Readonly<Record<When, Conditions>> => ({
  passedToSageMaker: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
  sageMakerScaling: { StringEquals: { 'application-autoscaling:service-namespace': 'sagemaker' } },
  forSageMakerScaling: {
    StringEquals: { 'iam:AWSServiceName': 'sagemaker.application-autoscaling.amazonaws.com' },
  },
  ownedAsSaid: { StringEquals: { 's3:ResourceAccount': settings.dataAccounts ?? [where.account] } },
});

/** The permissions of some ports, one row for each call and action. Those on nothing (no data buckets) are left out. */
export function grantsOf(places: Places, ports: readonly PortName[]): readonly Grant[] {
  const conditions = conditionsOf(places);
  return ports
    .flatMap((port): readonly Call[] => callsOf[port])
    .flatMap(({ call, why, needs }) =>
      needs.map((need) => ({
        call,
        why,
        action: need.action,
        resources: need.on.flatMap((place) => places.on[place]),
        ...(need.when === undefined ? {} : { when: conditions[need.when] }),
      })),
    )
    .filter(({ resources }) => resources.length > 0);
}

/** As few statements as say the same: each action with all its resources, actions with equal resources together. */
export function statementsOf(grants: readonly Grant[]): readonly Statement[] {
  const byAction = new Map<string, { action: string; resources: Set<string>; when?: Conditions }>();
  for (const { action, resources, when } of grants) {
    const key = JSON.stringify([action, when]);
    const known = byAction.get(key);
    byAction.set(key, {
      action,
      resources: new Set([...(known?.resources ?? []), ...resources]),
      ...(when === undefined ? {} : { when }),
    });
  }
  const byResources = new Map<string, Statement>();
  for (const { action, resources, when } of byAction.values()) {
    const key = JSON.stringify([[...resources].sort(), when]);
    const known = byResources.get(key);
    byResources.set(key, {
      actions: [...(known?.actions ?? []), action].sort(),
      // As they came: the placeholders of a renderer have an order of their own.
      resources: known?.resources ?? [...resources],
      ...(when === undefined ? {} : { when }),
    });
  }
  return [...byResources.values()];
}
