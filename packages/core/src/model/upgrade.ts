import { Fault } from '../base/fault.ts';
import { canonical } from '../base/json.ts';
import { day, minute } from '../base/time.ts';
import type { ModelPlan } from '../config/config.ts';
import { noEvidence } from '../judge/evidence.ts';

/** The schema that this code writes. */
export const schema = 3;

/** From each older schema to the next one. */
const upgrades: Readonly<
  Record<number, (state: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>>
> = {
  1: withJudge,
  2: withFirings,
};

type State = Readonly<Record<string, unknown>>;

/** Schema 2: rollouts are judged by evidence. One that was under way begins its evidence anew. */
function withJudge(state: State): State {
  const planned = (part: unknown): unknown =>
    isState(part) && isState(part.plan)
      ? { ...part, plan: { ...part.plan, rollout: judgedPlan(part.plan.rollout) } }
      : part;
  const { rollout, run } = state;
  return {
    ...(planned(state) as State),
    schema: 2,
    ...(run === undefined ? {} : { run: planned(run) }),
    ...(isState(rollout) ? { rollout: judgedRollout(rollout) } : {}),
  };
}

/** Schema 3: an alert is a condition, known by its sender and fingerprint; what a plan says of it is complete. */
function withFirings(state: State): State {
  const { monitor, plan } = state;
  return {
    ...state,
    schema: 3,
    ...(isState(monitor) ? { monitor: firingMonitor(monitor) } : {}),
    ...(isState(plan) ? { plan: { ...plan, alerts: { ...alertsOfSchema3, ...(plan.alerts as State) } } } : {}),
  };
}

const alertsOfSchema3 = { onAlert: 'rollback', whileFiring: 'hold', types: [] };

/** Alerts were kept under `sender|fingerprint|start`; when they were last heard was not kept. */
function firingMonitor({ alerts, tookBackAt: _, ...rest }: State): State {
  const known = Object.entries((alerts ?? {}) as Readonly<Record<string, State>>);
  const firings = known.map(([key, { at, title, did }]) => {
    const [sender = '', ...more] = key.split('|');
    const [startedAt, fingerprint] = [more.pop() ?? '', more.join('|')];
    const kind = String(title).startsWith('drift') ? 'drift' : 'alert';
    return [canonical([sender, fingerprint]), { kind, sender, fingerprint, startedAt, title, at, heardAt: at, did }];
  });
  return { ...rest, ends: {}, alerts: Object.fromEntries(firings) };
}

function judgedRollout(rollout: State): State {
  const { evidence, plan } = rollout;
  const { readTo = 0, candidate, stable } = isState(evidence) ? evidence : {};
  return {
    ...rollout,
    plan: judgedPlan(plan),
    sticky: false,
    latency: 'none',
    evidence: {
      ...noEvidence(Number(readTo)),
      ...(isState(candidate) ? { candidate } : {}),
      ...(isState(stable) ? { stable } : {}),
    },
  };
}

function judgedPlan(rollout: unknown): State {
  const { minRequests: _, ...known } = isState(rollout) ? rollout : {};
  return { ...rolloutOfSchema2, ...known };
}

const guardrailOfSchema2 = { toleratedRatio: 1, margin: 2, floor: 0.001, maxBurst: 1, dryRun: false };
/** What a plan said when the judge came, where the older one says nothing: never changed with the config's defaults. */
const rolloutOfSchema2: ModelPlan['rollout'] = {
  strategy: 'canary',
  steps: [5, 25, 50],
  increment: 20,
  mirror: 20,
  onPredictionShift: 'hold',
  split: 50,
  bake: 15 * minute,
  tick: minute,
  guard: 30 * minute,
  guardShare: 5,
  readyWithin: 15 * minute,
  onInconclusive: 'hold',
  maxHold: day,
  alpha: 0.01,
  beta: 0.05,
  guardrails: { errors: guardrailOfSchema2, latency: guardrailOfSchema2 },
  routing: 'configured',
  warmUp: 2,
  limits: { errors: { share: 0.5, minRequests: 20 } },
  atMost: 60 * minute,
};

/** The record of a run or rollout in its own stream, in the form that this code knows: schema 3 changed nothing in it. */
export function upgradeRecord(kind: 'run' | 'rollout', record: unknown): unknown {
  if (!isState(record) || Number(record.schema ?? 1) >= 2) return record;
  return kind === 'rollout' ? judgedRollout(record) : record;
}

const isState = (value: unknown): value is State =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A stored state, in the form that this code knows.
 *
 * A state that newer code wrote is `unavailable`: the signal goes back to its queue until this code is replaced, and
 * never to the dead letters.
 */
export function upgrade(stored: unknown): unknown {
  let state = stored as Readonly<Record<string, unknown>>;
  for (let version = Number(state.schema ?? 0); version !== schema; version += 1) {
    if (version > schema)
      throw new Fault(
        'unavailable',
        `the state was written by newer code (schema ${version}, this is ${schema}); update this installation`,
      );
    const next = upgrades[version];
    if (next === undefined)
      throw new Fault('defect', `the state has the unknown schema ${version}; this is a defect of Serin, report it`);
    state = next(state);
  }
  return state;
}
