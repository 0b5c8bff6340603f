import { step } from '@serin/core/base/table';
import { type Evidence, noEvidence } from '@serin/core/judge/evidence';
import { judge } from '@serin/core/judge/judge';
import { type Guardrail, type Rules, rulesOf } from '@serin/core/judge/rules';
import { certify } from '@serin/core/model/rollout/evidence';
import type { Rollout } from '@serin/core/model/rollout/state';
import { beginRollout } from '@serin/core/model/rollout/steps';
import { rolloutTable } from '@serin/core/model/rollout/table';
import { verifyRollout } from '@serin/core/model/rollout/verify';
import { nextEntry } from '@serin/core/ports/entry';
import type { Entry, Head } from '@serin/core/ports/journal';
import type { Counts, Tick } from '@serin/core/ports/telemetry';
import { configOf, modelName } from './installation.ts';
import { type Measure, median, ms, timed } from './measure.ts';

const tickMs = 60_000;
const plan = configOf(1, { quiet: '1s' }).models[modelName(0)]?.rollout;
const segments = Array.from({ length: 8 }, (_, index) => `s${index}`);

/** Eight guardrails, each with counts of its own. */
function eightGuardrails(): Rules {
  if (plan === undefined) throw new Error('the benchmark has no plan');
  const rules = rulesOf({ plan, sticky: false });
  const [errors] = rules.guardrails;
  if (errors === undefined) throw new Error('the plan judges no errors');
  const guardrails = segments.map(
    (segment): Guardrail => ({
      ...errors,
      climates: Object.fromEntries(Object.values(errors.climates).map((climate) => [`errors@${segment}`, climate])),
      alphaShare: 1 / segments.length,
      streams: [
        { id: `errors@${segment}`, measure: 'errors', segment, harm: true, promotes: true, events: 'failed requests' },
      ],
    }),
  );
  return { ...rules, guardrails };
}

const arm = (requests: number, errors: number): Counts => ({ requests, bad: { errors } });

function tickAt(index: number, weight: number): Tick {
  const counts = {
    v2: arm(60 * weight, index % 3),
    v1: arm(60 * (100 - weight), Math.round(((index % 3) * (100 - weight)) / weight)),
  };
  return { start: index * tickMs, counts, segments: Object.fromEntries(segments.map((name) => [name, counts])) };
}

/** What judging costs: one tick at a time, as a rollout gets them, and a whole rollout judged again. */
export async function benchJudge(quick: boolean): Promise<readonly Measure[]> {
  const ticks = quick ? 4000 : 20_000;
  const rules = eightGuardrails();
  const weights = [5, 10, 25, 50];
  const inputs = Array.from({ length: ticks }, (_, index) => {
    const weight = weights[Math.floor((index * weights.length) / ticks)] ?? 50;
    return { weight, tick: tickAt(index, weight) };
  });
  const pass = () => {
    let evidence: Evidence = noEvidence(0);
    for (const { weight, tick } of inputs)
      evidence = judge(
        evidence,
        { ticks: [tick], to: tick.start + tickMs, tickMs },
        { weight, lastWeight: weight, candidate: 'v2', champion: 'v1' },
        rules,
      ).evidence;
    return evidence;
  };
  pass();
  const perTick = (median(await timed(5, pass)) * 1000) / ticks;
  const logs = 8 * 7 * weights.length * 2;
  let sink = 0;
  const bare = await timed(5, () => {
    for (let index = 0; index < ticks; index += 1)
      for (let each = 0; each < logs; each += 1) sink += Math.log(1 + each + index);
  });
  if (!Number.isFinite(sink)) throw new Error('unreachable');
  const bareUs = (median(bare) * 1000) / ticks;
  const replay = await benchReplay(quick ? 2000 : 10_000);
  return [
    {
      what: 'judging one tick, 8 guardrails, 4 weights',
      goal: 'under 20 µs',
      got: `${perTick.toFixed(1)} µs`,
      beside: `${logs} bare logarithms, which is what the sums need without a cache: ${bareUs.toFixed(1)} µs`,
      met: perTick < 20,
    },
    ...replay,
  ];
}

/** Entries of a rollout with one tick each, written by the machine itself, then verified from them alone. */
async function benchReplay(count: number): Promise<readonly Measure[]> {
  const { id, entries } = longRollout(count);
  const found = verifyRollout(entries, id);
  // The first tick began before the weight was confirmed with its margin: it is no evidence.
  if (!found.verified || found.readings !== count - 1) throw new Error(`not verified: ${found.problems.join('; ')}`);
  const whole = median(await timed(3, () => verifyRollout(entries, id)));
  const chain = median(await timed(3, () => JSON.parse(JSON.stringify(entries))));
  const judged = median(await timed(3, () => replayed(entries)));
  const scaled = (taken: number) => (taken * 10_000) / count;
  return [
    {
      what: 'a rollout of 10,000 ticks judged again',
      goal: 'under 200 ms',
      got: `${ms(scaled(judged))}; with the fold of the journal, its hash chain and every comparison ${ms(scaled(whole))}`,
      beside: `the same entries as JSON, written and read: ${ms(scaled(chain))}`,
      met: scaled(judged) < 200,
    },
  ];
}

function begun(count: number): Rollout {
  if (plan === undefined) throw new Error('the benchmark has no plan');
  const long = { ...plan, bake: (count + 10) * tickMs, warmUp: 0, tick: tickMs };
  const given = { id: 'ro_bench', kind: 'release', candidate: 2, stable: 1, plan: long, by: 'bench' } as const;
  return beginRollout({ ...given, sticky: false }, 0);
}

/** What leads to the bake: what an entry says, and what the rollout hears of it. */
const converged = { entry: { type: 'clockTicked' }, heard: { type: 'endpointConverged' } };
const percentiles = { p50: 10, p90: 20, p99: 50, requests: 1000 };
const moves = [
  ...[{ type: 'latencyRead', percentiles }, { type: 'historyRead' }].map((told) => ({ entry: told, heard: told })),
  ...[converged, converged],
];

function heard(rollout: Rollout, signal: unknown): Rollout {
  const moved = step(rolloutTable, rollout, signal as never, { frozen: false });
  return 'moved' in moved ? moved.moved : rollout;
}

const baking = (count: number): Rollout =>
  moves.reduce<Rollout>((rollout, move) => heard(rollout, { ...move.heard, at: 0 }), begun(count));

const reading = (index: number, weight: number) => {
  const { start, counts } = tickAt(index, weight);
  const slow = ({ requests, bad }: Counts) => ({
    requests,
    bad: {
      ...bad,
      'slower than 10 ms': Math.round(requests / 2),
      'slower than 20 ms': Math.round(requests / 10),
      'slower than 50 ms': 0,
    },
  });
  const measured = Object.fromEntries(Object.entries(counts).map(([name, found]) => [name, slow(found)]));
  return {
    type: 'ticksRead',
    id: `s${index}`,
    at: start + 2 * tickMs,
    actor: { subject: 'bench', issuer: 'engine', role: 'system' },
    key: `rollout/ro_bench/ticks/${start}`,
    taken: index,
    from: start,
    to: start + tickMs,
    ticks: [{ start, counts: measured }],
  } as const;
};

function longRollout(count: number): { readonly id: string; readonly entries: readonly Entry[] } {
  let rollout = begun(count);
  let head: Head | undefined;
  const entries: Entry[] = [];
  const append = (signal: unknown) => {
    const state = { rollout };
    const entry = nextEntry(head, { stream: 'model/bench', at: 0, actor: reading(0, 5).actor, signal, state });
    entries.push(entry);
    head = { stream: 'model/bench', seq: entry.seq, hash: entry.hash, state: state as unknown as Head['state'] };
  };
  append({ type: 'begun' });
  for (const move of moves) {
    rollout = heard(rollout, { ...move.heard, at: 0 });
    append(move.entry);
  }
  for (let index = 0; index < count; index += 1) {
    const signal = reading(index, 5);
    rollout = heard(rollout, signal);
    append(signal);
  }
  return { id: rollout.id, entries };
}

/** The readings alone, put to the machine one after the other, and the certificate at the end. */
function replayed(entries: readonly Entry[]): number {
  const readings = entries.slice(1 + moves.length);
  const end = readings.reduce<Rollout>((rollout, { signal }) => heard(rollout, signal), baking(readings.length));
  return certify(end, { verdict: 'none', by: 'noSteps', because: 'the benchmark is over' }, '').ticks;
}
