import type { CostAtRest } from '../../shared/shapes.ts';
import { plans } from './functions.ts';
import type { Alarm, Namespace, PrivateEndpoint } from './shapes.ts';

const hoursPerMonth = 730;
const minutesPerMonth = hoursPerMonth * 60;
/** A guess until a live account says better. Flex Consumption bills a second at least. https://azure.microsoft.com/pricing/details/functions */
const clockSeconds = 1;

/** What an installation without work uses, as quantities; endpoints of models come on top. */
export function costsOf(made: {
  readonly namespace: Namespace;
  readonly alarms: readonly Alarm[];
  readonly endpoints: readonly PrivateEndpoint[];
}): readonly CostAtRest[] {
  const { namespace, alarms, endpoints } = made;
  const ofKind = (kind: Alarm['when']['kind']): number => alarms.filter(({ when }) => when.kind === kind).length;
  const premium = namespace.tier === 'Premium';
  return [
    premium
      ? {
          service: 'service-bus',
          unit: 'messaging unit hour (Premium)',
          perMonth: hoursPerMonth,
          why: 'private endpoints need Premium, which costs by the hour whether it is used or not',
        }
      : { service: 'service-bus', unit: 'base hour (Standard)', perMonth: hoursPerMonth, why: 'queue and topic' },
    { service: 'functions', unit: 'execution', perMonth: minutesPerMonth, why: 'the clock' },
    {
      service: 'functions',
      unit: 'GB-second',
      perMonth: (minutesPerMonth * clockSeconds * plans.clock.memoryMb) / 1024,
      why: `the clock, ${clockSeconds} s each time (assumed)`,
    },
    {
      service: 'table-storage',
      unit: 'transaction',
      perMonth: minutesPerMonth,
      why: 'the clock: at least a query each',
    },
    { service: 'monitor', unit: 'metric alert rule', perMonth: ofKind('metric'), why: "Serin's own alarms" },
    ...(ofKind('query') === 0
      ? []
      : [
          { service: 'monitor', unit: 'log alert rule', perMonth: ofKind('query'), why: "Serin's own alarms" },
          { service: 'monitor', unit: 'GB of logs', perMonth: 1, why: 'what the functions say, a GB (assumed)' },
        ]),
    ...(endpoints.length === 0
      ? []
      : [
          {
            service: 'private-link',
            unit: 'endpoint hour',
            perMonth: endpoints.length * hoursPerMonth,
            why: `${endpoints.length} private endpoints`,
          },
        ]),
  ];
}
