import { Fault } from '@serin/core/base/fault';
import type { Labels, TickQuery } from '@serin/core/ports/telemetry';

/** `Labels` on a platform that does not record which deployment answered a request. */
export function withoutLabels(platform: string): Labels {
  const refuse = async (): Promise<never> => {
    throw new Fault(
      'invalid',
      `labels cannot be used on ${platform}, which does not record which deployment answered; send them to a server on one machine`,
    );
  };
  return {
    label: refuse,
    labels: refuse,
    labelTotals: async () => ({ recorded: 0, duplicate: 0, conflict: 0, unknown: 0, late: 0 }),
  };
}

/** `invalid` unless a tick is a multiple of the platform's own steps, and at most `mostTicks` are asked for at once. */
export function checkTicks(
  { from, to, tickMs }: Pick<TickQuery, 'from' | 'to' | 'tickMs'>,
  { stepMs, counts, mostTicks }: { readonly stepMs: number; readonly counts: string; readonly mostTicks: number },
): void {
  if (!Number.isSafeInteger(tickMs) || tickMs <= 0 || tickMs % stepMs !== 0)
    throw new Fault('invalid', `cannot read ticks of ${tickMs} ms: ${counts}; use a multiple of ${stepMs}`);
  if (!(Number.isFinite(from) && (to - from) / tickMs <= mostTicks))
    throw new Fault(
      'invalid',
      `cannot read the ticks from ${from} to ${to}: more than ${mostTicks}; ask for less at once`,
    );
}
