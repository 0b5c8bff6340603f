import { describe, expect, test } from 'vitest';
import { decideModel } from './decide.ts';
import { type MachineName, machines, ownerOf } from './machines.ts';
import { artifactOf, type Driver, driver, human, planOf, type Said } from './model.fixture.ts';
import { modelOwes, modelWakesAt } from './owed.ts';
import type { Effect, ModelSignal } from './protocol.ts';
import { readingStart } from './run/protocol.ts';
import type { Model } from './state.ts';

/** A small seeded generator (mulberry32): the walks are the same on every machine. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const outcomes = { bucket: 'outcomes', prefix: 'labels/' };
const drifting = {
  monitor: {
    ...{ onDrift: 'run' as const, cooldown: '1m' },
    ...{ capture: { share: '10%', fields: ['age'] }, drift: { window: '10m' } },
  },
};
const notDrifted = { evidence: 1, threshold: 365, columns: [], alarms: [] };
const drifted = { ...notDrifted, alarms: ['age'], level: 'major' as const };
const counted = { counts: 'c', rows: 100 };
const someLabels = { predictions: 500, labels: 400, lost: 20, losses: 0 };
const debt = { key: 'none', taken: 0 };
const outside: readonly Said[] = [
  { type: 'dataHinted', keys: ['fraud/a.csv'] },
  { type: 'labelsHinted', keys: ['labels/a'] },
  { type: 'jobHinted' },
  { type: 'endpointHinted' },
  { type: 'clockTicked' },
  { type: 'runRequested', trigger: { kind: 'manual', force: true } },
  { type: 'runRequested', trigger: { kind: 'ci', commit: 'abc' } },
  { type: 'cancelRequested' },
  { type: 'approvalGiven', version: 1, approved: true },
  { type: 'approvalGiven', version: 2, approved: false },
  { type: 'pauseRequested' },
  { type: 'resumeRequested' },
  { type: 'promoteRequested' },
  { type: 'abortRequested' },
  { type: 'rollbackRequested' },
  { type: 'rollbackRequested', to: 1 },
  { type: 'alertRaised', kind: 'alert', sender: 's', fingerprint: 'f', startedAt: 'T', title: 't' },
  { type: 'alertRaised', kind: 'drift', sender: 's', fingerprint: 'g', startedAt: 'T', title: 't' },
  { type: 'alertResolved', sender: 's', fingerprint: 'f' },
  { type: 'slotGranted', run: 'run_other' },
  { type: 'configReleased', revision: 9, plan: planOf({ serve: 'none' }) },
  { type: 'configReleased', revision: 9, plan: planOf(), freeze: { by: 'ann', because: 'holidays' } },
  { type: 'configReleased', revision: 9 },
];
const answers: readonly Said[] = [
  { ...debt, type: 'listingAdvanced', progress: { chain: '', chunks: [], objects: 0, bytes: 0, complete: false } },
  { ...debt, type: 'labelsFound', found: 'busy' },
  { ...debt, type: 'labelsImported', progress: 'gone' },
  { ...debt, type: 'datasetChecked', problems: [] },
  { ...debt, type: 'datasetProfiled', reading: readingStart },
  { ...debt, type: 'datasetCounted', reading: readingStart, ended: { reference: 'r' } },
  { ...debt, type: 'datasetValidated', report: 'r', refused: true, because: 'x' },
  { ...debt, type: 'capturedCounted', counted },
  { ...debt, type: 'driftJudged', detector: 'd', judged: drifted },
  { ...debt, type: 'labelsCounted', readTo: 1e15, outcomes: someLabels, evidence: { logs: [9] } },
  { ...debt, type: 'jobStarted', job: 'j' },
  { ...debt, type: 'jobDescribed', description: { status: 'succeeded' } },
  { ...debt, type: 'jobStopAsked' },
  { ...debt, type: 'versionRegistered' },
  { ...debt, type: 'approvalMirrored' },
  { ...debt, type: 'endpointChanged', answer: 'accepted' },
  { ...debt, type: 'endpointObserved', begunAt: 0, observation: 'absent' },
  { ...debt, type: 'ticksRead', from: 0, to: 0, ticks: [] },
  { ...debt, type: 'labelsRead', from: 0, to: 0, ticks: [] },
  { ...debt, type: 'latencyRead' },
  { ...debt, type: 'historyRead' },
  { ...debt, type: 'told' },
  { ...debt, type: 'recorded' },
  { ...debt, type: 'announced', upTo: 1 },
  { ...debt, type: 'effectFailed', because: 'x' },
  { ...debt, type: 'effectRefused', because: 'x' },
];

/** Some answer that a provider could give to an order. */
function plausible(
  effect: Effect,
  draw: (below: number) => number,
  now: number,
  drive: Driver,
  quiet: boolean,
): Record<string, unknown> {
  if (draw(20) === 0) return { type: 'effectFailed', because: 'unavailable' };
  if (draw(60) === 0) return { type: 'effectRefused', because: 'not allowed' };
  switch (effect.kind) {
    case 'list': {
      const digest = `d${draw(4)}`;
      const progress = { chain: digest, chunks: ['c'], objects: draw(3), bytes: 10, complete: false };
      return {
        type: 'listingAdvanced',
        progress,
        ...(progress.objects === 0
          ? {}
          : { dataset: { digest, bucket: 'drops', prefix: 'fraud/', manifest: 'm', objects: 1, bytes: 1, at: now } }),
      };
    }
    case 'findLabels':
      return {
        type: 'labelsFound',
        found: draw(4) === 0 ? 'busy' : { files: [`labels/${draw(9)}`].slice(draw(2)), ended: draw(2) === 0 },
      };
    case 'importLabels':
      return {
        type: 'labelsImported',
        progress: (['busy', 'gone'] as const)[draw(6)] ?? {
          version: 'v',
          offset: 10,
          line: 1,
          counts: effect.counts,
          ended: draw(2) === 0,
        },
      };
    case 'checkDataset':
      return { type: 'datasetChecked', problems: draw(10) === 0 ? ['empty'] : [] };
    case 'profileDataset':
    case 'countDataset': {
      const type = effect.kind === 'profileDataset' ? 'datasetProfiled' : 'datasetCounted';
      const reading = { ...effect.reading, parts: effect.reading.parts + 1, state: `s${draw(9)}` };
      const ended = { profile: `p${draw(4)}`, rows: draw(100), reference: `r${draw(4)}` };
      return { type, reading, ...(draw(2) === 0 ? {} : { ended }) };
    }
    case 'validateDataset':
      return { type: 'datasetValidated', report: `r${draw(4)}`, refused: draw(4) === 0, because: 'x' };
    case 'countCaptured':
      return {
        type: 'capturedCounted',
        counted: { counts: `c${draw(9)}`, rows: draw(3) * 100 },
        ...(draw(3) === 0 ? { cursor: 'more' } : {}),
      };
    case 'judgeDrift':
      return { type: 'driftJudged', detector: `d${draw(9)}`, judged: draw(3) === 0 ? drifted : notDrifted };
    case 'countLabels':
      return {
        type: 'labelsCounted',
        ...{ readTo: effect.to, outcomes: { ...someLabels, labels: 100 * draw(5) } },
        ...(effect.bets === undefined ? {} : { evidence: { logs: [draw(9)] } }),
      };
    case 'startJob':
      return { type: 'jobStarted', job: `j${draw(1e6)}` };
    case 'describeJob': {
      const status = ['starting', 'running', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'failed', 'stopped'][
        draw(8)
      ];
      const artifacts = {
        model: artifactOf(`m${draw(1e6)}`),
        train: artifactOf('t'),
        holdout: artifactOf(`h${draw(3)}`),
      };
      return {
        type: 'jobDescribed',
        description: {
          status,
          artifacts,
          metrics: { auc: draw(6) === 0 ? 0.3 : 0.7 + draw(20) / 1000 },
          ...(draw(3) === 0 ? { retryable: 'interruption' } : {}),
        },
      };
    }
    case 'stopJob':
      return { type: 'jobStopAsked' };
    case 'register':
      return { type: 'versionRegistered' };
    case 'mirrorApproval':
      return { type: 'approvalMirrored' };
    case 'mirrorAliases':
      return { type: 'aliasesMirrored' };
    case 'change':
      return { type: 'endpointChanged', answer: draw(4) === 0 ? 'busy' : 'accepted' };
    case 'observe':
      return { type: 'endpointObserved', begunAt: now, observation: observed(drive.state, draw) };
    case 'readTicks': {
      const slow = Object.fromEntries(effect.measures.map((measure) => [measure, 5]));
      const ticks = Array.from({ length: Math.max(0, (effect.to - effect.from) / effect.tickMs) }, (_, index) => ({
        start: effect.from + index * effect.tickMs,
        counts: {
          v1: { requests: 500, bad: { ...slow, errors: 0 } },
          v2: { requests: quiet ? 0 : 500, bad: { ...slow, errors: draw(25) === 0 ? 30 : 0 } },
        },
      }));
      return { type: 'ticksRead', from: effect.from, to: effect.to, ticks };
    }
    case 'readLatency':
      return {
        type: 'latencyRead',
        ...(draw(3) === 0 ? {} : { percentiles: { p50: 10, p90: 20, p99: 50, requests: 30 * draw(3) } }),
      };
    case 'readHistory': {
      const measures = { errors: { bad: 50, requests: 5000, typical: 5, dispersion: 1, calm: false } };
      return {
        type: 'historyRead',
        ...(draw(3) === 0 ? {} : { history: { from: effect.from, to: effect.to, ticks: 100, measures } }),
      };
    }
    case 'publish':
      return { type: 'announced', upTo: effect.to };
    default:
      return { type: effect.kind === 'record' ? 'recorded' : 'told' };
  }
}

function observed(state: Model, draw: (below: number) => number) {
  const { desired } = state.endpoint;
  if (draw(12) === 0) return draw(2) === 0 ? 'absent' : { deployments: [], weights: {}, busy: true };
  const status = draw(25) === 0 ? 'failed' : draw(6) === 0 ? 'pending' : 'ready';
  const weights =
    draw(12) === 0
      ? {}
      : Object.fromEntries(Object.entries(desired.weights).map(([version, weight]) => [`v${version}`, weight]));
  return {
    deployments: desired.versions.map((version) => ({ name: `v${version}`, version, status })),
    weights,
    busy: false,
  };
}

const looking = {
  validate: {},
  monitor: {
    ...{ capture: { share: '10%', fields: ['n'] }, drift: {} },
    ...{ onPerformance: 'run' as const, performance: { window: '10m', maturity: '1m', limit: 0.1 } },
  },
};

const names = Object.keys(machines) as readonly MachineName[];

/** Walks the machines at random and keeps one state per combination that was reached. */
function reached(): ReadonlyMap<string, Model> {
  const states = new Map<string, Model>();
  for (let seed = 1; seed <= 180; seed += 1) {
    const draw = random(seed);
    const drive = driver(
      planOf(
        seed % 4 === 0
          ? { rollout: { steps: [10], bake: '1m', atMost: '1m', guard: '1m' } }
          : seed % 3 === 0
            ? { approval: {}, ...looking }
            : seed % 5 === 0
              ? { rollout: { strategy: 'allAtOnce', guard: '1m' }, labels: outcomes, ...drifting }
              : seed % 7 === 0
                ? { serve: 'none' }
                : { alerts: { onAlert: seed % 2 === 0 ? 'run' : 'rollback' } },
      ),
    );
    for (let turn = 0; turn < 400; turn += 1) {
      const owed = drive.owed();
      // An alias changes nothing else, so no turn of a walk is spent on waiting for it.
      const effect = owed.find(({ kind }) => kind === 'mirrorAliases') ?? owed[draw(Math.max(1, owed.length))];
      const { run } = drive.state;
      if (run?.status === 'validating' && draw(2) === 0) drive.say({ type: 'slotGranted', run: run.id });
      else if (drive.state.rollout?.status === 'baking' && draw(8) === 0) drive.say({ type: 'pauseRequested' });
      else if (effect !== undefined && draw(10) > 1)
        drive.say({
          ...plausible(effect, draw, drive.now, drive, seed % 4 === 0),
          key: effect.key,
          taken: drive.state.debts[effect.key]?.taken ?? 0,
        } as unknown as Said);
      else if (draw(10) > 3) drive.wait([500, 10_000, 60_000, 600_000, 3_600_000][draw(5)] ?? 1);
      else if (draw(4) === 0 || turn > 370)
        drive.say(outside[draw(outside.length - (turn > 370 ? 0 : 3))] ?? { type: 'clockTicked' });
      const { state } = drive;
      const key = names.map((name) => state[name]?.status).join(' ');
      if (!states.has(key)) states.set(key, state);
    }
  }
  return states;
}

const states = reached();
const dispatcher = { self: 'test', dispatches: true, alone: true };
const decide = (state: Model, said: Said, at = state.at + 1) =>
  decideModel(state, { ...said, id: 'x', at, actor: human } as ModelSignal, { model: 'fraud', seq: 1000 }, dispatcher);

describe('every state that random walks reach', () => {
  test('covers every state of every machine', () => {
    for (const name of names) {
      const seen = new Set([...states.values()].map((state) => state[name]?.status));
      expect([name, Object.keys(machines[name].table).filter((status) => !seen.has(status as never))]).toEqual([
        name,
        [],
      ]);
    }
  });

  test.each([...outside, ...answers].map((said, index) => [`${said.type} (${index})`, said] as const))(
    'takes %s without a throw, and answers moved, ignored, repeated or refused',
    (_, said) => {
      for (const state of states.values()) {
        const decision = decide(state, said);
        expect(Object.keys(decision).some((key) => ['moved', 'ignored', 'repeated', 'refused'].includes(key))).toBe(
          true,
        );
      }
    },
  );

  test('has a wake-up whenever it waits: no debt, run or rollout is forgotten', () => {
    for (const [key, state] of states) {
      const waits =
        Object.keys(state.debts).length > 0 ||
        (state.run !== undefined && !('endedAt' in state.run)) ||
        (state.rollout !== undefined && !('endedAt' in state.rollout));
      if (waits) expect([key, modelWakesAt(state)]).toEqual([key, expect.any(Number)]);
    }
  });

  test('owes each order under a key of its own, and names every debt that it owes', () => {
    for (const state of states.values()) {
      const keys = modelOwes(state, state.at).map((effect) => effect.key);
      expect(new Set(keys).size).toBe(keys.length);
      expect(Object.keys(state.debts).sort()).toEqual([...keys].sort());
    }
  });

  test('names the machine first in the key of each effect that it owes', () => {
    for (const state of states.values())
      for (const name of names)
        for (const { key } of machines[name].owes(state, state.at)) expect(ownerOf(key)).toBe(name);
  });

  test('never brings an ended run or rollout back to life', () => {
    for (const state of states.values()) {
      for (const said of [...outside, ...answers]) {
        const decision = decide(state, said);
        if (!('moved' in decision)) continue;
        if (state.run !== undefined && 'endedAt' in state.run && decision.moved.run?.id === state.run.id)
          expect(decision.moved.run.status).toBe(state.run.status);
        if (
          state.rollout !== undefined &&
          'endedAt' in state.rollout &&
          decision.moved.rollout?.id === state.rollout.id
        )
          expect(decision.moved.rollout.status).toBe(state.rollout.status);
      }
    }
  });

  test('gives no version weight that is quarantined or rejected, unless it already serves', () => {
    for (const state of states.values()) {
      const { rollout } = state;
      const candidate = state.versions[String(rollout?.candidate)];
      if (rollout === undefined || 'endedAt' in rollout || rollout.status === 'reverting') continue;
      expect(candidate?.quarantined).toBeUndefined();
      expect(candidate?.approval?.status).toBe('approved');
    }
  });
});
