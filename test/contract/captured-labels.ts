import { hour, minute } from '@serin/core/base/time';
import type { ModelPlan } from '@serin/core/config/config';
import type { Bucket } from '@serin/core/ports/bucket';
import { capturedLabels } from '@serin/platform/captured-labels';
import { memoryBucket } from '../simulation/fakes/bucket.ts';
import { atOnce } from '../simulation/fakes/sync.ts';
import type { OpenCaptured } from './captured.contract.ts';
import { maturityMs, type OpenLabels } from './labels.contract.ts';

/** Of a model whose requests are captured, and named by the platform's id unless `id` is a field of theirs. */
export const capturedPlan = (id?: string) =>
  ({
    monitor: { capture: { fields: ['size', 'order'], ...(id === undefined ? {} : { id }) } },
    rollout: { guardrails: { labels: { maturity: maturityMs } } },
  }) as unknown as ModelPlan; // what labels read of it

/** Labels over the captured requests of a cloud. `byField`: a field of the request names it. */
export async function labelsOver(open: () => Promise<OpenCaptured>, byField?: string): Promise<OpenLabels> {
  const opened = await open();
  const bucket = atOnce<Bucket>(memoryBucket());
  const { telemetry, now, lagMs } = opened;
  const labels = () =>
    capturedLabels({ bucket, now, lagMs, captured: telemetry.captured, planOf: async () => capturedPlan(byField) });
  let running = labels();
  return {
    telemetry: {
      label: (told) => running.label(told),
      labels: (query) => running.labels(query),
      labelTotals: (endpoint) => running.labelTotals(endpoint),
    },
    now,
    advance: opened.advance,
    begin: ({ id, endpoint = 'e', deployment = 'v1' }) => {
      const order = byField === undefined ? {} : { [byField]: id };
      const asked = { endpoint, deployment, body: JSON.stringify({ instances: [{ size: 1, ...order }] }) };
      return ({ prediction, errored }) => {
        const answer = prediction === undefined ? '{}' : JSON.stringify({ predictions: [prediction] });
        opened.begin({
          ...{ ...asked, contentType: 'application/json' },
          ...(errored ? {} : { answer }),
          ...(byField === undefined ? { id } : {}),
        })();
      };
    },
    closesAt: (end) => Math.ceil(end / hour) * hour + Math.max(maturityMs + 5 * minute, lagMs),
    reopen: async () => {
      running = labels();
    },
    close: opened.close,
  };
}
