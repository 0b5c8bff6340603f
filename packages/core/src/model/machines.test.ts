import { describe, expect, test } from 'vitest';
import { type MachineName, machines, machinesOwe, ownerOf, takerOf, underPlan } from './machines.ts';
import { type Driver, driver, human, planOf, type Said, withCanary, withChampion } from './model.fixture.ts';
import type { ModelSignal } from './protocol.ts';
import type { Model } from './state.ts';

const names = Object.keys(machines) as readonly MachineName[];
const at = Date.UTC(2026, 0, 2);
const signal = (said: Said): ModelSignal => ({ ...said, id: 's', at, actor: human }) as ModelSignal;
const labels = { bucket: 'outcomes', prefix: 'labels/' };

/** Not for one machine: each hears them, or they come from another machine. */
const others = ['clockTicked', 'effectRefused', 'endpointConverged', 'deploymentFailed'];

describe('the machines of a model', () => {
  test.each(names)('%s takes what is in its table, and nothing else', (name) => {
    const { table, takes } = machines[name];
    const cells = new Set(Object.values(table).flatMap((row) => Object.keys(row)));

    expect(takes.filter((type) => !cells.has(type))).toEqual([]);
    // An alert goes to the monitor, which says whether the rollout hears of it.
    const passedOn = name === 'rollout' ? ['alertRaised'] : [];
    expect([...cells].filter((type) => !(takes as readonly string[]).includes(type)).sort()).toEqual(
      [...others.filter((type) => cells.has(type)), ...passedOn].sort(),
    );
  });

  test('take no signal twice', () => {
    const taken = names.flatMap((name) => machines[name].takes);

    expect(new Set(taken).size).toBe(taken.length);
    expect(takerOf('jobHinted')).toBe(machines.run);
    expect(takerOf('configReleased')).toBeUndefined();
  });

  test('own the effects whose keys begin with their names', () => {
    expect(ownerOf('run/run_1/0/start')).toBe('run');
    expect(ownerOf('publish/3')).toBeUndefined();
    expect(ownerOf('toString/3')).toBeUndefined();
  });
});

describe('a machine that the model does not have', () => {
  const model = driver(planOf()).state;

  test('refuses its signals, with its name', () => {
    expect(machines.run.step(model, signal({ type: 'jobHinted' }))).toEqual({
      refused: "the model has no run for 'jobHinted'; look at its state and decide again",
    });
  });

  test('ignores them, if they are hints that others may send', () => {
    expect(machines.labels.step(model, signal({ type: 'labelsHinted', keys: [] }))).toEqual({
      ignored: 'no labels are taken from files',
    });
  });

  test('begins with a plan that wants it, and ends with one that does not', () => {
    const begun = underPlan({ ...model, plan: planOf({ labels }) }, model.plan, at);
    const ended = underPlan({ ...begun, plan: planOf() }, begun.plan, at);

    expect(begun.labels?.status).toBe('idle');
    expect(ended.labels).toBeUndefined();
    expect(Object.keys(ended)).not.toContain('labels');
  });
});

describe('an alert, when a hundred fire already,', () => {
  const plan = planOf({ alerts: { onAlert: 'rollback' } });
  const alert = { kind: 'alert', sender: 's', startedAt: 'T', title: 't' } as const;
  const firing = (index: number) => ({ ...alert, fingerprint: `f${index}`, at, heardAt: at, did: 'rollback' }) as const;
  const alerts = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`["s","f${index}"]`, firing(index)]));
  const heard = ({ state }: Driver, rollout: object = {}) =>
    machines.monitor.step(
      {
        ...state,
        monitor: { ...state.monitor, status: 'alarmed', since: at, alerts },
        ...(state.rollout === undefined ? {} : { rollout: { ...state.rollout, ...rollout } }),
      } as Model,
      signal({ type: 'alertRaised', ...alert, fingerprint: 'new' }),
    );

  test('still takes back what serves, or a release under way', () => {
    expect(heard(withChampion(plan).drive)).toMatchObject({ moved: { monitor: { wants: { do: 'rollback' } } } });
    expect(heard(withCanary(plan).drive)).toMatchObject({ moved: { monitor: { wants: { do: 'revert' } } } });
  });

  test('is not taken while traffic is on its way back: it would do nothing else', () => {
    const { drive } = withCanary(plan);

    expect(heard(drive, { status: 'reverting', because: { kind: 'alert', text: 'x' } })).toHaveProperty('refused');
    expect(heard(drive, { kind: 'rollback' })).toHaveProperty('refused');
  });
});

describe('a model that left the config', () => {
  const { state } = driver(planOf({ labels }));
  const retired = { ...state, retired: true } as const;

  test.each(['intake', 'labels'] as const)('has %s at rest', (name) => {
    expect(machines[name].step(retired, signal({ type: 'clockTicked' }))).toEqual({ ignored: 'the model is retired' });
    expect(machines[name].wakes(retired)).toBeUndefined();
  });

  test('owes nothing that it owed for them', () => {
    expect(machinesOwe(state, state.at).map(({ kind }) => kind)).toEqual(['list', 'findLabels']);
    expect(machinesOwe(retired, state.at)).toEqual([]);
  });

  test('still hears what fires', () => {
    const alert = { kind: 'alert', sender: 's', fingerprint: 'f', startedAt: 'T', title: 't' } as const;
    const heard = machines.monitor.step(retired, signal({ type: 'alertRaised', ...alert }));

    expect('moved' in heard && machines.monitor.wakes(heard.moved)).toEqual(expect.any(Number));
  });
});
