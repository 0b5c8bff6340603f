import { Fault } from '@serin/core/base/fault';
import { minute } from '@serin/core/base/time';
import type { Discordant, Label, LabelAnswer, Labels, LabelTick } from '@serin/core/ports/telemetry';
import type { Request } from './people.ts';
import { labelsIn } from './people-counts.ts';
import type { Sync } from './sync.ts';
import { part, type Range, type Span, type Traffic } from './traffic.ts';

export interface LabelsOptions {
  readonly now: () => number;
  readonly traffic: Traffic;
  /** Share of the labels of a deployment that say wrong. */
  readonly wrong: (deployment: string, at: number) => number;
  /** Share of the requests that get one at all; they come evenly until the last one has. */
  readonly labelled: { readonly share: number; readonly takeMs: number };
  /** The requests of an endpoint, where they are drawn one by one. */
  readonly requests?: (endpoint: string, from: number, to: number) => readonly Request[] | undefined;
  /** What is told in the place of labels. */
  readonly toldLabels?: (tick: LabelTick) => readonly LabelTick[];
}

export type LabelQuery = Parameters<Labels['labels']>[0];

export interface MemoryLabels extends Sync<Labels> {
  /** What really came in time, whether or not it is told already. */
  truth(query: LabelQuery): readonly LabelTick[];
}

type Row = LabelTick['rows'][number];
const answers: readonly LabelAnswer[] = ['recorded', 'duplicate', 'conflict', 'unknown', 'late'];

/**
 * Labels that follow from how requests were routed: evidence knows no single request.
 *
 * Where they are read as classes or numbers all of them are truths: wrong ones miss the class more often than they see it
 * where it is not, and are off by far more than the scale, but for some that cannot be read; right ones are off by a tenth.
 *
 * `label` takes any id, keeps what it was told of it first, and changes no tick.
 */
export function memoryLabels(options: LabelsOptions): MemoryLabels {
  const { now, traffic, wrong, labelled, requests, toldLabels = (tick) => [tick] } = options;
  const outcomes = new Map<string, string>();
  const totals: Record<LabelAnswer, number> = { recorded: 0, duplicate: 0, conflict: 0, unknown: 0, late: 0 };

  function tickOf({ endpoint, tickMs, maturityMs, truths }: LabelQuery, start: number): LabelTick {
    const drawn = requests?.(endpoint, start, start + tickMs);
    if (drawn !== undefined) return labelsIn(start, drawn, start + tickMs + maturityMs);
    const spans = traffic.spans(endpoint, start, start + tickMs);
    const inTime = labelled.share * Math.min(1, maturityMs / labelled.takeMs);
    const tick = { start, rows: rowsOf(spans, start, inTime), losses: [], pairs: pairsOf(spans, start, inTime) };
    if (truths === undefined) return tick;
    return 'scale' in truths
      ? asNumbers(tick, truths.scale)
      : { ...tick, rows: tick.rows.map((row) => asClasses(row, start)) };
  }

  function rowsOf(spans: readonly Span[], start: number, inTime: number): readonly Row[] {
    const rows = new Map<string, Row>();
    for (const { route, arms } of spans) {
      for (const [deployment, range] of Object.entries(arms)) {
        const weight = route.weights[deployment] ?? 0;
        const key = `${deployment} ${weight}`;
        const known = rows.get(key) ?? { deployment, weight, requests: 0, labelled: 0, wrong: 0 };
        rows.set(key, {
          ...{ deployment, weight, requests: known.requests + part(range, 1) },
          labelled: known.labelled + part(range, inTime),
          wrong: known.wrong + part(within(range, inTime), wrong(deployment, start)),
        });
      }
    }
    return [...rows.values()].filter(({ requests }) => requests > 0);
  }

  function pairsOf(spans: readonly Span[], start: number, inTime: number): Readonly<Record<string, Discordant>> {
    const found: Record<string, Discordant> = {};
    for (const { route, arms } of spans) {
      if (route.mirror === undefined) continue;
      const { deployment, percent } = route.mirror;
      for (const [served, range] of Object.entries(arms)) {
        const told = within(range, (percent / 100) * inTime);
        const before = found[deployment] ?? { mirror: 0, served: 0 };
        found[deployment] = {
          mirror: before.mirror + part(told, wrong(deployment, start) * (1 - wrong(served, start))),
          served: before.served + part(told, wrong(served, start) * (1 - wrong(deployment, start))),
        };
      }
    }
    return found;
  }

  function truth(query: LabelQuery): readonly LabelTick[] {
    const { from, to, tickMs } = query;
    const ticks: LabelTick[] = [];
    for (let start = Math.ceil(from / tickMs) * tickMs; start + tickMs <= to; start += tickMs)
      ticks.push(tickOf(query, start));
    return ticks;
  }

  function answer({ requestId, outcome }: Label): LabelAnswer {
    const said = JSON.stringify(outcome);
    const known = outcomes.get(requestId);
    if (known !== undefined) return known === said ? 'duplicate' : 'conflict';
    outcomes.set(requestId, said);
    return 'recorded';
  }

  return {
    truth,
    labels: (query) => truth({ ...query, to: Math.min(query.to, now() - query.maturityMs) }).flatMap(toldLabels),
    label(labels) {
      for (const { outcome } of labels)
        if ('loss' in outcome && !(outcome.loss >= 0 && outcome.loss <= 1))
          throw new Fault('invalid', `a loss of ${outcome.loss} is not in [0, 1]`);
      return labels.map((label) => {
        const word = answer(label);
        totals[word] += 1;
        return word;
      });
    },
    labelTotals: () => Object.fromEntries(answers.map((word) => [word, totals[word]])) as typeof totals,
  };
}

function asClasses(row: Row, start: number): Row {
  const { labelled, wrong } = row;
  // Shares of few labels come out over ten ticks.
  const phase = ((start / minute) % 10) / 10;
  const falseNegatives = Math.floor(0.6 * wrong + phase);
  const truePositives = Math.floor(0.3 * (labelled - wrong) + phase);
  const rest = { falsePositives: wrong - falseNegatives, trueNegatives: labelled - wrong - truePositives };
  return { ...row, classes: { truePositives, falseNegatives, ...rest } };
}

function asNumbers(tick: LabelTick, scale: number): LabelTick {
  const rows = tick.rows.map(({ labelled, wrong, ...row }): Row => {
    const [unknown, right] = [Math.floor(wrong / 10), labelled - wrong];
    const sum = (power: number): number => (wrong - unknown) * (2 * scale) ** power + right * (scale / 10) ** power;
    const sums = { absolute: sum(1), squares: sum(2), fourths: sum(4) };
    return { ...row, labelled: 0, wrong: 0, errors: { numbers: labelled - unknown, unknown, ...sums } };
  });
  const losses = tick.rows.flatMap(({ deployment, weight = 0, labelled, wrong }) =>
    Array.from({ length: labelled }, (_, index) => ({ deployment, weight, loss: index < wrong ? 1 : 0.1 })),
  );
  return { ...tick, rows, losses };
}

/** The numbers that a part of the requests has among themselves. */
const within = ({ from, to }: Range, share: number): Range => ({
  from: Math.floor(from * share),
  to: Math.floor(to * share),
});
