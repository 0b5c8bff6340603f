import { ownTurn } from '@serin/api/own-turn';
import { defined } from '@serin/core/base/objects';
import type { Estimate } from '@serin/core/drift/estimate';
import { lossOf, type Measured } from '@serin/core/drift/outcomes';
import { allModels } from '@serin/core/engine/find';
import type { Drift } from '@serin/core/model/drift/drift';
import { lastEstimate } from '@serin/core/model/drift/estimate';
import type { PendingEffects } from '@serin/core/model/leases';
import { type LossWindow, lastWindow, limitOf, type Performance } from '@serin/core/model/performance/performance';
import { lastTruths } from '@serin/core/model/performance/truths';
import { rolloutEnded } from '@serin/core/model/rollout/state';
import { runEnded } from '@serin/core/model/run/state';
import type { Model } from '@serin/core/model/state';
import { upgrade } from '@serin/core/model/upgrade';
import type { Entry, Journal } from '@serin/core/ports/journal';

/** What the metrics say of one model. Times are milliseconds since the epoch. */
export interface ModelGauge {
  readonly model: string;
  readonly champion?: number;
  /** The run and the rollout that are under way. */
  readonly run?: string;
  readonly rollout?: { readonly status: string; readonly candidate: number };
  readonly firing: number;
  readonly approvals: number;
  /** Of the last window of live requests that was judged, and whether drift is open. Absent: it is not looked for. */
  readonly drift?: {
    readonly isOpen: boolean;
    readonly last?: { readonly evidence: number; readonly size: number; readonly estimate?: Estimate };
  };
  /** The same of labels: what was lost in the last window, and from where on it is worse. Absent: none is judged. */
  readonly performance?: {
    readonly isOpen: boolean;
    readonly limit?: number;
    readonly last?: PerformanceGauge;
  };
  /** Since when new data waits for a run. */
  readonly dataSince?: number;
  /** Since when its oldest debt exists, as far as this server has seen. */
  readonly owesSince?: number;
}

interface PerformanceGauge {
  readonly loss: number;
  readonly evidence?: number;
  /** Of a class, or of numbers, of as few of the last windows as say something; absent where too little is known. */
  readonly precision?: number;
  readonly recall?: number;
  readonly mae?: number;
  readonly rmse?: number;
}

export interface JournalGauges {
  /** Called with each entry once it is durable. */
  appended(entry: Entry): void;
  /** Models that are in the config, or still serve, by name; and how many dead letters wait. */
  read(): Promise<{ readonly models: readonly ModelGauge[]; readonly deadLetters: number }>;
}

type Debts = Map<string, number>;

/** Reads a model again only after it has moved on, so a look costs as much as what happened since the last one. */
export function journalGauges(journal: Journal): JournalGauges {
  const models = new Map<string, ModelGauge | undefined>();
  const debts = new Map<string, Debts>();
  const letters = new Set<string>();
  const moved = new Set<string>();
  let begun: Promise<void> | undefined;

  function appended({ stream, at, patch, signal }: Entry): void {
    if (stream.startsWith('dead/')) letter(stream, (signal as { readonly type?: unknown }).type);
    if (!stream.startsWith('model/')) return;
    moved.add(stream);
    // A patch as the engine writes one: `null` takes a field away.
    const changed = (patch as { readonly debts?: Readonly<Record<string, unknown>> | null }).debts;
    const known = debts.get(stream) ?? new Map<string, number>();
    if (changed === null) known.clear();
    for (const [key, debt] of Object.entries(changed ?? {}))
      if (debt === null) known.delete(key);
      else if (!known.has(key)) known.set(key, at);
    debts.set(stream, known);
  }

  function letter(stream: string, status: unknown): void {
    if (status === 'waiting') letters.add(stream);
    else letters.delete(stream);
  }

  async function begin(): Promise<void> {
    for (let cursor: string | undefined, isLast = false; !isLast; ) {
      const { items, next } = await journal.names('dead/', cursor);
      for (const { stream, summary } of items) letter(stream, (summary as { readonly status?: unknown }).status);
      cursor = next;
      isLast = next === undefined;
    }
    for (const { model } of await allModels(journal)) moved.add(`model/${model}`);
  }

  async function look(stream: string): Promise<void> {
    const head = await journal.head(stream);
    if (head === undefined) return;
    const model = upgrade(head.state) as Model; // the engine writes it
    const known = debts.get(stream) ?? new Map<string, number>();
    // Of a debt that an earlier server left, only this is known: it existed when the model last moved.
    for (const key of Object.keys((model.debts ?? {}) as PendingEffects)) if (!known.has(key)) known.set(key, model.at);
    debts.set(stream, known);
    models.set(stream, gaugeOf(model, known));
  }

  return {
    appended,
    async read() {
      begun ??= begin();
      await begun;
      for (const stream of moved) {
        // The first look may find many, so predictions are answered in between.
        await ownTurn();
        moved.delete(stream);
        await look(stream);
      }
      const known = [...models.values()].filter((gauge) => gauge !== undefined);
      return { models: known.sort((one, other) => (one.model < other.model ? -1 : 1)), deadLetters: letters.size };
    },
  };
}

function gaugeOf(model: Model, debts: Debts): ModelGauge | undefined {
  const { champion, run, rollout, monitor, versions, intake, queued, drift, performance } = model;
  if (model.retired === true && champion === undefined) return undefined;
  // A rescan is not a debt: it only looks whether something is there.
  const isNews = intake.status === 'settling' || (intake.status === 'listing' && intake.cause !== 'rescan');
  const since = [...(isNews ? [intake.since] : []), ...(queued === undefined ? [] : [queued.at])];
  const pending = Object.values(versions).filter(({ approval }) => approval?.status === 'pending');
  return {
    model: model.model,
    ...(champion === undefined ? {} : { champion }),
    ...(run === undefined || runEnded(run) ? {} : { run: run.status }),
    ...(rollout === undefined || rolloutEnded(rollout)
      ? {}
      : { rollout: { status: rollout.status, candidate: rollout.candidate } }),
    firing: Object.keys(monitor.alerts).length,
    approvals: pending.length,
    ...(drift === undefined ? {} : { drift: driftOf(drift, model) }),
    ...(performance === undefined ? {} : { performance: performanceOf(performance, model) }),
    ...(since.length === 0 ? {} : { dataSince: Math.min(...since) }),
    ...(debts.size === 0 ? {} : { owesSince: Math.min(...debts.values()) }),
  };
}

function driftOf({ incident, windows }: Drift, model: Model): NonNullable<ModelGauge['drift']> {
  const last = windows.at(-1);
  return {
    isOpen: incident !== undefined,
    ...(last === undefined
      ? {}
      : { last: { evidence: last.evidence, size: last.size, ...defined({ estimate: lastEstimate(model) }) } }),
  };
}

function performanceOf(performance: Performance, { plan }: Model): NonNullable<ModelGauge['performance']> {
  const last = lastWindow(performance);
  return {
    isOpen: performance.incident !== undefined,
    ...defined({ limit: limitOf(performance, plan) }),
    ...(last === undefined ? {} : { last: { ...windowOf(last), ...truthsOf(performance) } }),
  };
}

const windowOf = (window: LossWindow): { readonly loss: number; readonly evidence?: number } => ({
  loss: lossOf(window).value,
  ...defined({ evidence: window.evidence }),
});

/** Fields that only one kind of truths has, or too few truths have. */
type Measures = { readonly lacks?: string } & Partial<Record<'precision' | 'recall' | 'mae' | 'rmse', Measured>>;

function truthsOf(performance: Performance): Omit<PerformanceGauge, 'loss' | 'evidence'> {
  const { precision, recall, mae, rmse }: Measures = { ...lastTruths(performance)?.measures };
  return defined({ precision: precision?.value, recall: recall?.value, mae: mae?.value, rmse: rmse?.value });
}
