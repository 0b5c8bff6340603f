import { Fault } from '../base/fault.ts';
import { defined } from '../base/objects.ts';
import { instant } from '../base/time.ts';
import { type LossEvidence, withLoss } from '../drift/losses.ts';
import { addOutcomes, type Outcomes } from '../drift/outcomes.ts';
import { checkLabels } from '../judge/checks.ts';
import type { Order, SignalOf } from '../model/protocol.ts';
import type { Ports } from '../ports/ports.ts';
import type { LabelTick } from '../ports/telemetry.ts';

type CountOrder = Extract<Order, { kind: 'countLabels' }>;
type Counted = Pick<SignalOf<'labelsCounted'>, 'readTo' | 'outcomes' | 'evidence'>;

/**
 * Adds the labels of one deployment, tick by tick; each tick once, however often it is told.
 *
 * Twice: the same, as closed ticks stay as they are. Without a closed tick: `unavailable`.
 */
export async function countLabels(
  { endpoint, deployment, from, to, tickMs, maturityMs, truths, outcomes, bets }: CountOrder,
  { labels }: Pick<Ports, 'labels'>,
): Promise<Counted> {
  let counted: Counted = { readTo: from, outcomes, ...defined({ evidence: bets?.evidence }) };
  for (const tick of await labels.labels({ endpoint, from, to, tickMs, maturityMs, ...defined({ truths }) })) {
    checkLabels(tick);
    if (tick.start < counted.readTo) continue;
    const { outcomes, evidence } = withTick(counted, tick, deployment, bets?.limit ?? 1);
    counted = { readTo: tick.start + tickMs, outcomes, ...defined({ evidence }) };
  }
  if (counted.readTo > from) return counted;
  throw new Fault('unavailable', `no labels of ${endpoint} since ${instant(from)} have matured yet; try again later`);
}

function withTick(
  counted: Pick<Counted, 'outcomes' | 'evidence'>,
  { rows, losses }: LabelTick,
  deployment: string,
  limit: number,
): { readonly outcomes: Outcomes; readonly evidence?: LossEvidence | undefined } {
  let { outcomes, evidence } = counted;
  for (const { requests, labelled, wrong, classes, errors, ...row } of rows) {
    if (row.deployment !== deployment) continue;
    const counts = { predictions: requests, labels: labelled, lost: wrong, losses: 0 };
    outcomes = addOutcomes(outcomes, { ...counts, ...defined({ classes, errors }) });
    evidence = evidence && withLoss(withLoss(evidence, 1, limit, wrong), 0, limit, labelled - wrong);
  }
  const ours = losses.filter((row) => row.deployment === deployment);
  const lost = ours.reduce((sum, { loss }) => sum + loss, 0);
  outcomes = addOutcomes(outcomes, { predictions: 0, labels: ours.length, lost, losses: ours.length });
  for (const { loss } of ours) evidence = evidence && withLoss(evidence, loss, limit);
  return { outcomes, evidence };
}
