import { defined } from '../../base/objects.ts';
import { day } from '../../base/time.ts';
import { truthRuleOf } from '../../config/performance.ts';
import { whyNoLabels } from '../../guardrails/labels.ts';
import { historyMs } from '../../judge/history.ts';
import { measuresOf } from '../../judge/rules.ts';
import type { Effect } from '../protocol.ts';
import { deploymentName } from '../version.ts';
import { rulesFor } from './evidence.ts';
import { type Base, labelsFrom, type Rollout, wantsHistory, wantsLatency } from './state.ts';

const maxTicksPerReading = 240;

/** What a rollout owes while it waits: the champion's latency and history, then the ticks and labels that have closed since. */
export function rolloutOwes(rollout: Rollout, now: number, endpoint: string): readonly Effect[] {
  if (rollout.status === 'deploying') return pastOwed(rollout, endpoint);
  const { id, plan, sticky, evidence, startedAt } = rollout;
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
      measures: judgedBy(rollout),
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
      ...defined({ truths: truthRuleOf(plan.guardrails.labels ?? {}) }),
      compared: [rollout.candidate, ...(rollout.stable === undefined ? [] : [rollout.stable])].map(deploymentName),
    });
  }
  return owed;
}

/** Two thresholds may be the same. */
const judgedBy = (rollout: Base): readonly string[] => [...new Set(measuresOf(rulesFor(rollout)))];

/** What the champion did until the start. Its slow requests are counted once the thresholds are frozen. */
function pastOwed(rollout: Base, endpoint: string): readonly Effect[] {
  const { id, plan, stable, championSince = 0, startedAt } = rollout;
  const window = (ms: number) => ({ endpoint, from: Math.max(championSince, startedAt - ms), to: startedAt });
  if (wantsLatency(rollout)) return [{ key: `rollout/${id}/latency`, kind: 'readLatency', ...window(day) }];
  if (!wantsHistory(rollout) || stable === undefined) return [];
  return [
    {
      key: `rollout/${id}/history`,
      kind: 'readHistory',
      ...window(historyMs),
      deployment: deploymentName(stable),
      tickMs: plan.tick,
      measures: judgedBy(rollout),
    },
  ];
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
