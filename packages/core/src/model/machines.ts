import { defined } from '../base/objects.ts';
import { refuse, type Step, step, type Table } from '../base/table.ts';
import type { ModelPlan } from '../config/config.ts';
import { deploymentOf } from './between/endpoint-wish.ts';
import { driftOwes, driftTable, driftWakes, planDrift } from './drift/drift.ts';
import { obeyDrift } from './drift/rule.ts';
import { type EndpointContext, endpointOwes, endpointTable, endpointWakes } from './endpoint/endpoint.ts';
import { intakeOwes, intakeTable, intakeWakes, planIntake } from './intake/intake.ts';
import { obeyIntake } from './intake/rule.ts';
import { labelsOwes, labelsTable, labelsWakes, planLabels } from './labels/labels.ts';
import { monitorTable, monitorWakes, planMonitor } from './monitor/monitor.ts';
import { monitorContext, obeyMonitor } from './monitor/rule.ts';
import { performanceOwes, performanceTable, performanceWakes, planPerformance } from './performance/performance.ts';
import { obeyPerformance } from './performance/rule.ts';
import type { Effect, ModelSignal } from './protocol.ts';
import { rolloutOwes, rolloutWakes } from './rollout/owes.ts';
import { rolloutTable } from './rollout/table.ts';
import { runOwes, runTable, runWakes } from './run/table.ts';
import type { Model, Moment } from './state.ts';

type SignalType = ModelSignal['type'];
/** The fields of the model that hold a machine: they have a status. */
type MachineField = {
  readonly [Field in keyof Model]-?: NonNullable<Model[Field]> extends { readonly status: string } ? Field : never;
}[keyof Model];
type State<Field extends MachineField> = NonNullable<Model[Field]>;

/** One machine: all that the model has to know of it. The keys of its effects begin with the name of its field. */
interface Row<Field extends MachineField, Context, Takes extends SignalType> {
  readonly table: Table<State<Field>, ModelSignal, Context>;
  /** What its cells may know of the rest of the model. */
  readonly context: (model: Model) => Context;
  /** The signals that are for it; `clockTicked` and `effectRefused` are for each machine. */
  readonly takes: readonly Takes[];
  readonly owes?: (machine: State<Field>, now: number, model: Model) => readonly Effect[];
  /** When it wants `clockTicked`; until `at` time has passed. */
  readonly wakes: (machine: State<Field>, at: number) => number | undefined;
  /** Under a plan that was just released; `undefined`: this plan has no such machine. */
  readonly planned?: (machine: Model[Field], given: Released) => Model[Field];
  /** What its state asks of the other machines; the same model: nothing. Applied before runs and rollouts start. */
  readonly rule?: Rule;
  /** Of a model that left the config: it takes no signal, waits for no time and owes nothing. */
  readonly endsWithModel?: true;
  /** Why its signals are ignored while the model has no such machine; without a reason they are refused. */
  readonly ignoresWhileAbsent?: string;
}

type Rule = (model: Model, moment: Moment) => Model;

interface Released {
  readonly plan: ModelPlan;
  readonly before: ModelPlan;
  readonly at: number;
}

/** A row that any machine may stand in. */
export interface Machine<Takes extends SignalType = SignalType> {
  readonly table: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly takes: readonly Takes[];
  readonly step: (model: Model, signal: ModelSignal) => Step<Model>;
  readonly owes: (model: Model, now: number) => readonly Effect[];
  readonly wakes: (model: Model) => number | undefined;
  readonly planned: (model: Model, given: Released) => Model;
  readonly rule?: Rule;
}

function machineIn<Field extends MachineField, Context, Takes extends SignalType>(
  field: Field,
  { table, context, takes, owes, wakes, planned, rule, endsWithModel, ignoresWhileAbsent }: Row<Field, Context, Takes>,
): Machine<Takes> {
  const active = (model: Model): Model[Field] | undefined =>
    endsWithModel && model.retired ? undefined : model[field];
  return {
    table,
    takes,
    step(model, signal) {
      if (endsWithModel && model.retired) return { ignored: 'the model is retired' };
      const machine = model[field];
      if (machine === undefined) {
        if (signal.type === 'clockTicked') return { ignored: `no ${field}` };
        return ignoresWhileAbsent === undefined
          ? refuse(`the model has no ${field} for '${signal.type}'; look at its state and decide again`)
          : { ignored: ignoresWhileAbsent };
      }
      const result = step(table, machine, signal, context(model));
      return 'moved' in result ? { moved: { ...model, [field]: result.moved } } : result;
    },
    owes(model, now) {
      const machine = active(model);
      return machine === undefined ? [] : (owes?.(machine, now, model) ?? []);
    },
    wakes(model) {
      const machine = active(model);
      return machine === undefined ? undefined : wakes(machine, model.at);
    },
    planned(model, given) {
      if (planned === undefined) return model;
      const { [field]: before, ...rest } = model;
      const machine = planned(before, given);
      return (machine === undefined ? rest : { ...rest, [field]: machine }) as Model;
    },
    ...defined({ rule }),
  };
}

const endpointContext = (model: Model): EndpointContext => ({
  model: model.model,
  deployment: (version) => deploymentOf(model, version),
});

/** The machines of a model, in the order in which time passes for them. */
export const machines = {
  intake: machineIn('intake', {
    table: intakeTable,
    context: (model) => model,
    takes: ['dataHinted', 'listingAdvanced'],
    owes: intakeOwes,
    wakes: intakeWakes,
    planned: (intake, { at, plan }) => (intake === undefined ? intake : planIntake(intake, at, plan)),
    rule: obeyIntake,
    endsWithModel: true,
  }),
  labels: machineIn('labels', {
    table: labelsTable,
    context: (model) => model,
    takes: ['labelsHinted', 'labelsFound', 'labelsImported'],
    owes: (labels, _now, model) => labelsOwes(labels, model),
    wakes: labelsWakes,
    planned: (labels, { before, plan, at }) => planLabels(labels, before, plan, at).labels,
    endsWithModel: true,
    ignoresWhileAbsent: 'no labels are taken from files',
  }),
  run: machineIn('run', {
    table: runTable,
    context: (model) => model,
    takes: [
      'cancelRequested',
      'datasetChecked',
      'datasetProfiled',
      'datasetCounted',
      'datasetValidated',
      'jobStarted',
      'jobStopAsked',
      'jobDescribed',
      'jobHinted',
      'versionRegistered',
      'slotGranted',
    ],
    owes: runOwes,
    wakes: runWakes,
  }),
  endpoint: machineIn('endpoint', {
    table: endpointTable,
    context: endpointContext,
    takes: ['endpointObserved', 'endpointChanged', 'endpointHinted'],
    owes: (endpoint, now, model) => endpointOwes(endpoint, now, endpointContext(model)),
    wakes: endpointWakes,
  }),
  rollout: machineIn('rollout', {
    table: rolloutTable,
    context: ({ freeze }) => ({ frozen: freeze !== undefined }),
    takes: [
      'pauseRequested',
      'resumeRequested',
      'promoteRequested',
      'abortRequested',
      'rollbackRequested',
      'ticksRead',
      'labelsRead',
      'latencyRead',
      'historyRead',
    ],
    owes: (rollout, now, { model }) => rolloutOwes(rollout, now, model),
    wakes: rolloutWakes,
  }),
  drift: machineIn('drift', {
    table: driftTable,
    context: (model) => model,
    takes: ['capturedCounted', 'driftJudged'],
    owes: (drift, _now, model) => driftOwes(drift, model),
    wakes: driftWakes,
    planned: planDrift,
    rule: obeyDrift,
    endsWithModel: true,
    ignoresWhileAbsent: 'no drift is judged',
  }),
  performance: machineIn('performance', {
    table: performanceTable,
    context: (model) => model,
    takes: ['labelsCounted'],
    owes: (performance, _now, model) => performanceOwes(performance, model),
    wakes: performanceWakes,
    planned: planPerformance,
    rule: obeyPerformance,
    endsWithModel: true,
    ignoresWhileAbsent: 'no performance is judged',
  }),
  // After those that tell it of incidents: what has just ended asks for nothing.
  monitor: machineIn('monitor', {
    table: monitorTable,
    context: monitorContext,
    takes: ['alertRaised', 'alertResolved'],
    wakes: monitorWakes,
    planned: (monitor, given) => monitor && planMonitor(monitor, given),
    rule: obeyMonitor,
  }),
};

export type MachineName = keyof typeof machines;
/** The signals that are for a machine. */
export type MachineSignal = (typeof machines)[MachineName]['takes'][number];

const rows: readonly Machine[] = Object.values(machines);

/** The machine that a signal is for. */
export const takerOf = (type: SignalType): Machine | undefined => rows.find(({ takes }) => takes.includes(type));

/** The machine whose effect has this key. */
export const ownerOf = (key: string): MachineName | undefined => {
  const [name = ''] = key.split('/');
  return isMachine(name) ? name : undefined;
};
const isMachine = (name: string): name is MachineName => Object.hasOwn(machines, name);

export const machinesOwe = (model: Model, now: number): readonly Effect[] =>
  rows.flatMap(({ owes }) => owes(model, now));

export const machinesWake = (model: Model): readonly (number | undefined)[] => rows.map(({ wakes }) => wakes(model));

/** What machines ask of others. */
export const machineRules: readonly Rule[] = rows.flatMap(({ rule }) => rule ?? []);

/** Time passes for every machine that waits for it. */
export function passTime(model: Model, { at, id, actor }: ModelSignal): Model {
  const tick = { type: 'clockTicked', at, id, actor } as const;
  return rows.reduce((state, { step }) => {
    const moved = step(state, tick);
    return 'moved' in moved ? moved.moved : state;
  }, model);
}

/** Every machine under the plan of `model`; `before` is the plan until now. */
export const underPlan = (model: Model, before: ModelPlan, at: number): Model =>
  rows.reduce((state, { planned }) => planned(state, { plan: model.plan, before, at }), model);
