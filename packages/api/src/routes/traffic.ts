import { Fault } from '@serin/core/base/fault';
import { errors, slowerThan } from '@serin/core/base/measures';
import { day, durationText, instant } from '@serin/core/base/time';
import type { Model } from '@serin/core/model/state';
import { versionOf } from '@serin/core/model/version';
import type { ServingKind } from '@serin/core/ports/serving';
import type { Counts, Telemetry, Tick } from '@serin/core/ports/telemetry';
import * as z from 'zod';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { inModel, instantText } from '../shapes.ts';

/** Every cloud keeps counts for a week. */
const longestMs = 7 * day;
const mostTicks = 200;
/** Read finer than shown: a tick in which the platform was away for a moment is not counted. */
const mostRead = 2000;

const countsShape = z.object({ requests: z.int(), errors: z.int(), slow: z.int().optional() });
const traffic = z.object({
  model: z.string(),
  from: z.string(),
  to: z.string(),
  tickMs: z.int(),
  latency: z.object({ p50: z.number(), p90: z.number(), p99: z.number(), requests: z.int() }).optional(),
  slowMs: z.number().optional(),
  ticks: z.array(
    z.object({ at: z.string(), unserved: z.boolean().optional(), deployments: z.record(z.string(), countsShape) }),
  ),
  because: z.string().optional(),
});

export function trafficRoutes({ ports, now }: Api): readonly Route[] {
  const recent = recently(now);
  return [
    route({
      method: 'get',
      path: '/v1/models/{model}/traffic',
      summary: 'requests, failures and slow answers of each deployment over time',
      role: 'viewer',
      scope: 'models',
      params: inModel,
      query: z.strictObject({ from: instantText.optional(), to: instantText.optional() }),
      answers: {
        200: {
          description:
            'oldest first, as far as the platform has counted, at most 200 ticks; at most 7 days, by default the last one; `slow`: slower than `slowMs`, the p90 of all of them; `because`: why there is nothing',
          schema: traffic,
        },
      },
      problems: [422],
      async handle({ project, params, query }) {
        const { state } = await project.model(params.model);
        const window = windowOf(query, now(), state.plan.rollout.tick);
        const { from, to, tickMs } = window;
        const answer = { model: state.model, from: instant(from), to: instant(to), tickMs };
        const because = silenceOf(state);
        if (because !== undefined) return { status: 200, body: { ...answer, ticks: [], because } };
        const { readMs } = window;
        const key = JSON.stringify([state.model, window]);
        const told = await recent(key, readMs / 2, () => read(ports.telemetry(kindOf(state)), state, window));
        return { status: 200, body: { ...answer, ...told } };
      },
    }),
  ];
}

const mostKept = 32;

/** Answers what is not older than `ms` again: a page that is open asks every few seconds, and clouds charge for it. */
function recently(now: () => number) {
  const kept = new Map<string, { readonly until: number; readonly told: Promise<object> }>();
  return (key: string, ms: number, ask: () => Promise<object>): Promise<object> => {
    const known = kept.get(key);
    if (known !== undefined && now() < known.until) return known.told;
    const told = ask();
    kept.delete(key);
    kept.set(key, { until: now() + ms, told });
    told.catch(() => kept.delete(key));
    for (const oldest of kept.keys()) if (kept.size > mostKept) kept.delete(oldest);
    return told;
  };
}

interface Window {
  readonly from: number;
  readonly to: number;
  readonly tickMs: number;
  /** A part of `tickMs`. */
  readonly readMs: number;
}

function windowOf(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
  tick: number,
): Window {
  const end = to === undefined ? now : Date.parse(to);
  const begin = from === undefined ? end - day : Date.parse(from);
  if (!(begin < end))
    throw new Fault('invalid', `'from' must be before 'to' (${instant(end)}); give an earlier 'from'`);
  if (end - begin > longestMs)
    throw new Fault(
      'invalid',
      `one answer covers at most ${durationText(longestMs)} of traffic; ask for a shorter time`,
    );
  const readMs = tick * Math.ceil((end - begin) / (tick * mostRead));
  const tickMs = readMs * Math.ceil((end - begin) / (readMs * mostTicks));
  return { from: Math.floor(begin / tickMs) * tickMs, to: Math.ceil(end / tickMs) * tickMs, tickMs, readMs };
}

function kindOf({ plan, versions, champion, rollout }: Model): ServingKind {
  const serve = versionOf(versions, champion ?? rollout?.candidate)?.serve ?? plan.serve;
  return serve === 'none' ? 'endpoint' : (serve.on ?? 'endpoint');
}

/** Why there is nothing to count. */
function silenceOf({ plan, endpoint }: Model): string | undefined {
  if (plan.serve === 'none') return 'this model is not served by Serin';
  return endpoint.status === 'absent' ? 'it has no endpoint yet' : undefined;
}

async function read(telemetry: Telemetry, { model: endpoint }: Model, { from, to, tickMs, readMs }: Window) {
  const latency = await telemetry.latency(endpoint, from, to).catch(unknown);
  const slow = latency === undefined ? undefined : slowerThan(latency.p90);
  const measures = slow === undefined ? [errors] : [errors, slow];
  const ticks = await telemetry.ticks({ endpoint, from, to, tickMs: readMs, measures });
  const byTick = Map.groupBy(ticks, ({ start }) => Math.floor(start / tickMs) * tickMs);
  return {
    ...(latency === undefined ? {} : { latency, slowMs: latency.p90 }),
    ticks: [...byTick].map(([start, parts]) => tickView(start, parts, slow)),
  };
}

/** A platform has percentiles later than counts, or not at all. */
function unknown(error: unknown): undefined {
  if (!(error instanceof Fault)) throw error;
}

function tickView(start: number, parts: readonly Tick[], slow: string | undefined) {
  const names = new Set(parts.flatMap(({ counts: own }) => Object.keys(own)));
  const deployments = [...names].sort().map((name) => {
    const own = parts.flatMap(({ counts: all }) => all[name] ?? []);
    const sum = (read: (each: Counts) => number | undefined) => own.reduce((all, each) => all + (read(each) ?? 0), 0);
    const isSlowCounted = slow !== undefined && own.some(({ bad }) => bad[slow] !== undefined);
    return [
      name,
      {
        requests: sum(({ requests }) => requests),
        errors: sum(({ bad }) => bad[errors]),
        ...(isSlowCounted ? { slow: sum(({ bad }) => bad[slow]) } : {}),
      },
    ] as const;
  });
  const unserved = parts.every((part) => part.unserved === true);
  return { at: instant(start), ...(unserved ? { unserved } : {}), deployments: Object.fromEntries(deployments) };
}
