import type { CompiledConfig } from '@serin/core/config/config';
import { maturityOf, predictionIn } from '@serin/core/config/performance';
import { type Routes, routesOf } from '@serin/core/inbound/route';

import type { CaptureRule } from './captures.ts';

interface Options {
  readonly released: () => Promise<CompiledConfig | undefined>;
  readonly createBucket: (name: string) => Promise<unknown>;
  readonly watch: (routes: Routes) => void;
}

/** The released config as the server goes by it. */
export function followedRelease({ released, createBucket, watch }: Options) {
  let current: CompiledConfig | undefined;
  let captureRules: ReadonlyMap<string, CaptureRule> = new Map();

  const served = (endpoint: string) => {
    const serve = current?.models[endpoint]?.serve;
    return serve === 'none' ? undefined : serve;
  };

  /** Whether requests are remembered for their labels, and where the prediction is in the answer. */
  function remembered(endpoint: string): { readonly prediction?: string | undefined } | undefined {
    const plan = current?.models[endpoint];
    // A config that an older version released has no guardrails.
    if (plan?.rollout.guardrails?.labels === undefined && plan?.monitor.performance === undefined) return undefined;
    return { prediction: predictionIn(plan) };
  }

  return {
    served,
    remembered,
    captureRule: (endpoint: string) => captureRules.get(endpoint),
    segments: (endpoint: string) => current?.models[endpoint]?.rollout.segments,

    /**
     * When labels of an endpoint count, of a rollout or of the champion: by the released plan, though a rollout goes by the
     * one that it began with.
     */
    labelWindow(endpoint: string) {
      const plan = current?.models[endpoint];
      if (plan === undefined || remembered(endpoint) === undefined) return undefined;
      const guarded = plan.rollout.guardrails?.labels?.maturity ?? 0;
      const judged = plan.monitor.performance === undefined ? 0 : maturityOf(plan);
      return { tickMs: plan.rollout.tick, maturityMs: Math.max(guarded, judged) };
    },

    /** After a release: its bucket folders exist and are watched. */
    async follow(): Promise<void> {
      const config = await released();
      if (config === undefined || config === current) return;
      current = config;
      captureRules = captureRulesIn(config);
      for (const { data, labels } of Object.values(config.models))
        for (const place of [data, labels]) if (place !== undefined) await createBucket(place.bucket);
      watch(routesOf(config));
    },
  };
}

function captureRulesIn(config: CompiledConfig): ReadonlyMap<string, CaptureRule> {
  const rules = Object.entries(config.models).flatMap(([endpoint, { monitor }]) => {
    const { capture } = monitor;
    if (capture === undefined) return [];
    const { share, fields, keep, atMost } = capture;
    const millionths = Math.round(Number.parseFloat(share) * 10_000);
    return [[endpoint, { share: millionths, fields, keepMs: keep, atMostBytes: atMost }] as const];
  });
  return new Map(rules);
}
