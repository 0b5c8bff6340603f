import { Fault } from '@serin/core/base/fault';
import type { Telemetry } from '@serin/core/ports/telemetry';

async function noLabels(): Promise<never> {
  throw new Fault(
    'invalid',
    'labels are not known on AWS: SageMaker keeps no request that an outcome could be told for',
  );
}

/** What `Telemetry` says of labels where nobody keeps who answered which request. */
export const withoutLabels: Pick<Telemetry, 'label' | 'labels' | 'labelTotals'> = {
  label: noLabels,
  labels: noLabels,
  labelTotals: async () => ({ recorded: 0, duplicate: 0, conflict: 0, unknown: 0, late: 0 }),
};
