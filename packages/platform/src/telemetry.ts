import { Fault } from '@serin/core/base/fault';
import type { Label, Labels, TickQuery } from '@serin/core/ports/telemetry';

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

/** `invalid` for the first label that nobody can record. */
export function checkLabels(labels: readonly Label[]): void {
  for (const [index, { outcome, time }] of labels.entries()) {
    if ('loss' in outcome && !(outcome.loss >= 0 && outcome.loss <= 1))
      throw new Fault('invalid', `label ${index} has the loss ${outcome.loss}; send one from 0 to 1`);
    if (!Number.isSafeInteger(time))
      throw new Fault('invalid', `label ${index} has a time that is not a whole number; send milliseconds`);
  }
}

type Labelled = Omit<Parameters<Labels['labels']>[0], 'endpoint'>;

/** `invalid` unless the ticks are ones that labels can be read of, and at most `mostTicks`. */
export function checkLabelled({ from, to, tickMs, maturityMs }: Labelled, mostTicks: number): void {
  const isRead = Number.isSafeInteger(tickMs) && tickMs > 0 && maturityMs >= 0 && (to - from) / tickMs <= mostTicks;
  if (!isRead)
    throw new Fault(
      'invalid',
      `cannot read the labels from ${from} to ${to} in ticks of ${tickMs} ms that mature in ${maturityMs} ms; ask for whole milliseconds and at most ${mostTicks} ticks`,
    );
}
