import type { Counts, Telemetry, Tick, Weights } from '@serin/core/ports';
import type { Sync } from './sync.ts';

export interface TelemetryOptions {
  readonly now: () => number;
  readonly perMinute: (endpoint: string) => number;
  /** Share of the requests that fail, by deployment. */
  readonly failing: (endpoint: string, deployment: string) => number;
}

export interface MemoryTelemetry extends Sync<Telemetry> {
  /** From now on requests are routed so. */
  routed(endpoint: string, weights: Weights, at: number): void;
  /** What a deployment got in a window, whether or not its ticks have closed. */
  counts(
    endpoint: string,
    deployment: string,
    from: number,
    to: number,
  ): { readonly requests: number; readonly errors: number };
}

const closesAfterMs = 5000;
const stepMs = 1000;

/** Counts that follow from how requests were routed: even arrivals, so the same window always has the same numbers. */
export function memoryTelemetry({ now, perMinute, failing }: TelemetryOptions): MemoryTelemetry {
  const routes = new Map<string, { readonly at: number; readonly weights: Weights }[]>();

  function countsIn(endpoint: string, from: number, to: number): Readonly<Record<string, Counts>> {
    const requests: Record<string, number> = {};
    const changes = routes.get(endpoint) ?? [];
    for (const [index, { at, weights }] of changes.entries()) {
      const start = Math.max(from, at);
      const end = Math.min(to, changes[index + 1]?.at ?? to);
      const arrived = (Math.max(0, Math.ceil(end / stepMs) - Math.ceil(start / stepMs)) * perMinute(endpoint)) / 60;
      for (const [name, weight] of Object.entries(weights))
        requests[name] = (requests[name] ?? 0) + (arrived * weight) / 100;
    }
    return Object.fromEntries(
      Object.entries(requests).map(([name, count]) => {
        const rounded = Math.round(count);
        return [name, { requests: rounded, errors: Math.round(rounded * failing(endpoint, name)), slow: [] }];
      }),
    );
  }

  function ticksOf(endpoint: string, from: number, to: number, tickMs: number): readonly Tick[] {
    const ticks: Tick[] = [];
    for (let start = Math.ceil(from / tickMs) * tickMs; start + tickMs <= to; start += tickMs)
      ticks.push({ start, counts: countsIn(endpoint, start, start + tickMs) });
    return ticks;
  }

  return {
    ticks: ({ endpoint, from, to, tickMs }) => ticksOf(endpoint, from, Math.min(to, now() - closesAfterMs), tickMs),
    latency: () => undefined,
    routed(endpoint, weights, at) {
      routes.set(endpoint, [...(routes.get(endpoint) ?? []), { at, weights }]);
    },
    counts(endpoint, deployment, from, to) {
      const minute = 60_000;
      const arms = ticksOf(endpoint, from, to, minute).map(({ counts }) => counts[deployment]);
      return {
        requests: arms.reduce((sum, arm) => sum + (arm?.requests ?? 0), 0),
        errors: arms.reduce((sum, arm) => sum + (arm?.errors ?? 0), 0),
      };
    },
  };
}
