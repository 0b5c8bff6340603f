import { Fault } from '@serin/core/base/fault';
import type { Telemetry } from '@serin/core/ports/telemetry';

/** What `Telemetry` says of labels on a platform that keeps no record of who answered which request. */
export function withoutLabels(platform: string): Pick<Telemetry, 'label' | 'labels' | 'labelTotals'> {
  const refuse = async (): Promise<never> => {
    throw new Fault(
      'invalid',
      `labels are not known on ${platform}: it does not record which deployment answered a request; send labels to a server of one machine`,
    );
  };
  return {
    label: refuse,
    labels: refuse,
    labelTotals: async () => ({ recorded: 0, duplicate: 0, conflict: 0, unknown: 0, late: 0 }),
  };
}
