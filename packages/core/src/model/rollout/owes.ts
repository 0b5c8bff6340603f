import { day } from '../../base/time.ts';
import { whyNoLabels } from '../../guardrails/labels.ts';
import { measuresOf } from '../../judge/rules.ts';
import type { Effect } from '../protocol.ts';
import { rulesFor } from './evidence.ts';
import { labelsFrom, type Rollout, wantsLatency } from './state.ts';

const maxTicksPerReading = 240;

/** What a rollout owes while it waits: the champion's latency, then the ticks and labels that have closed since. */
export function rolloutOwes(rollout: Rollout, now: number, endpoint: string): readonly Effect[] {
  const { id, plan, sticky, evidence, startedAt } = rollout;
  if (rollout.status === 'deploying' && wantsLatency(rollout)) {
    const from = Math.max(rollout.championSince ?? 0, startedAt - day);
    return [{ key: `rollout/${id}/latency`, kind: 'readLatency', endpoint, from, to: startedAt }];
  }
  const { tick } = plan;
  const upTo = (from: number, until: number) =>
    Math.min(Math.floor(until / tick), from / tick + maxTicksPerReading) * tick;
  const owed: Effect[] = [];
  if (now >= (ticksDueAt(rollout) ?? Number.POSITIVE_INFINITY)) {
    const from = evidence.readTo;
    owed.push({
      key: `rollout/${id}/ticks/${from}`,
      kind: 'readTicks',
      endpoint,
      from,
      to: upTo(from, now),
      tickMs: tick,
      measures: [...new Set(measuresOf(rulesFor(rollout)))],
      ...(sticky ? { usersSince: evidence.usersSince ?? evidence.from ?? startedAt } : {}),
    });
  }
  const maturityMs = plan.guardrails.labels?.maturity ?? 0;
  if (now >= (labelsDueAt(rollout) ?? Number.POSITIVE_INFINITY)) {
    const from = labelsFrom(rollout);
    owed.push({
      key: `rollout/${id}/labels/${from}`,
      kind: 'readLabels',
      endpoint,
      from,
      to: upTo(from, now - maturityMs),
      tickMs: tick,
      maturityMs,
    });
  }
  return owed;
}

export function rolloutWakes(rollout: Rollout): number | undefined {
  switch (rollout.status) {
    case 'deploying':
    case 'shifting':
    case 'promoting':
      return rollout.deadline;
    case 'paused':
    case 'held':
      return earliest(rollout.endsAt, ticksDueAt(rollout), labelsDueAt(rollout));
    case 'guarding':
      return rollout.until === rollout.since ? rollout.until : earliest(ticksDueAt(rollout), labelsDueAt(rollout));
    case 'baking':
      return earliest(ticksDueAt(rollout), labelsDueAt(rollout));
    default:
      return undefined;
  }
}

const earliest = (...times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

/** When the next tick has closed, for states that read ticks. */
function ticksDueAt(rollout: Rollout): number | undefined {
  if (!('since' in rollout) || rollout.status === 'reverting') return undefined;
  return rollout.evidence.readTo + rollout.plan.tick;
}

/** When the labels of the next tick have matured. */
function labelsDueAt(rollout: Rollout): number | undefined {
  const { plan, sticky, stable } = rollout;
  const { labels } = plan.guardrails;
  if (labels === undefined || whyNoLabels(labels, { ...plan, sticky }) !== undefined) return undefined;
  if (stable === undefined || ticksDueAt(rollout) === undefined) return undefined;
  return labelsFrom(rollout) + plan.tick + labels.maturity;
}
