import { describe, expect, test } from 'vitest';
import { hour } from '../base/time.ts';
import type { Stamp } from '../model/protocol.ts';
import { decideProject, type Project, type ProjectStreamSignal, projectOwes, projectStart } from './project.ts';

const start = Date.UTC(2026, 0, 1);
const ann = { subject: 'ann', issuer: 'token', role: 'admin' } as const;

type Unstamped<Signal> = Signal extends unknown ? Omit<Signal, keyof Stamp> : never;
type Said = Unstamped<ProjectStreamSignal>;

const release = (digest: string, concurrentRuns = 1): Said => ({
  type: 'releaseRequested',
  digest,
  project: 'shop',
  concurrentRuns,
});
const wants = (run: string, untilHours = 4): Said => ({
  type: 'slotRequested',
  run,
  model: `model-of-${run}`,
  until: start + untilHours * hour,
});
const freed = (run: string): Said => ({ type: 'slotReleased', run });
const frozen = (until?: number): Said => ({
  type: 'freezeRequested',
  freeze: { by: 'ann', because: 'audit', ...(until === undefined ? {} : { until }) },
});
const clock = (afterHours: number): Said & { readonly at: number } => ({
  type: 'clockTicked',
  at: start + afterHours * hour,
});

/** The project after these signals, and what each came to. */
function after(...signals: readonly (Said & { readonly id?: string; readonly at?: number })[]) {
  let project: Project = projectStart(start);
  const came = signals.map(({ id, at, ...said }, index) => {
    const signal = { ...said, id: id ?? `s${index}`, at: at ?? start, actor: ann } as ProjectStreamSignal;
    const decided = decideProject(project, signal, { seq: index + 1 }, { self: 'test', dispatches: true, alone: true });
    if ('moved' in decided) project = decided.moved;
    return Object.keys(decided).find((key) => ['moved', 'ignored', 'repeated', 'refused'].includes(key));
  });
  return { project, came };
}

const slotsOf = ({ project }: ReturnType<typeof after>) => [Object.keys(project.slots), Object.keys(project.waiting)];

describe('slots', () => {
  test.each<readonly [string, readonly Said[], readonly (readonly string[])[]]>([
    ['one run has the one slot, and the next waits', [wants('a'), wants('b')], [['a'], ['b']]],
    ['more slots are for more runs', [release('c1', 2), wants('a'), wants('b'), wants('c')], [['a', 'b'], ['c']]],
    [
      'a slot that is free goes to who waited longest',
      [wants('a'), wants('b'), wants('c'), freed('a')],
      [['b'], ['c']],
    ],
    ['who waits no more has no place', [wants('a'), wants('b'), wants('c'), freed('b'), freed('a')], [['c'], []]],
    ['asking twice is one place', [wants('a'), wants('b'), wants('b')], [['a'], ['b']]],
    ['what nobody has is not given back', [wants('a'), freed('z')], [['a'], []]],
    ['a slot ends with its deadline', [wants('a', 1), wants('b', 4), clock(2)], [['b'], []]],
    ['fewer slots take none away', [release('c1', 2), wants('a'), wants('b'), release('c2', 1)], [['a', 'b'], []]],
  ])('%s', (_, signals, expected) => {
    expect(slotsOf(after(...signals))).toEqual(expected);
  });

  test('a grant is owed until its model was told, and again when the model asks again', () => {
    const owed = (project: Project) => projectOwes(project).map(({ key }) => key);
    const { project } = after(wants('a'));
    const told = (taken: number): Said => ({ type: 'told', key: 'grant/a', taken }) as Said;

    expect(owed(project)).toEqual(['grant/a']);
    expect(owed(after(wants('a'), told(1)).project)).toEqual([]);
    expect(owed(after(wants('a'), told(1), wants('a')).project)).toEqual(['grant/a']);
  });
});

describe('releases and freezes', () => {
  test.each<readonly [string, readonly Said[], Record<string, unknown>]>([
    ['a release is told to the models', [release('c1')], { status: 'spreading', spread: { to: 'c1', from: [] } }],
    ['the same config again is no release', [release('c1'), release('c1')], { revision: 1 }],
    [
      'a second release, while the first is told, is compared with both',
      [release('c1'), release('c2'), release('c3')],
      { spread: { to: 'c3', from: ['c1', 'c2'], everyone: false } },
    ],
    ['a freeze is told to everybody', [release('c1'), frozen()], { spread: { everyone: true, freeze: { by: 'ann' } } }],
    [
      'so is its end',
      [release('c1'), frozen(), { type: 'thawRequested' }],
      { spread: { everyone: true }, revision: 3 },
    ],
    ['a freeze before the first release waits for it', [frozen()], { status: 'settled', freeze: { by: 'ann' } }],
  ])('%s', (_, signals, expected) => {
    expect(after(...signals).project).toMatchObject(expected);
  });

  test('a freeze ends by its own time', () => {
    expect(after(frozen(start + hour)).project.freeze).toBeDefined();
    expect(after(frozen(start + hour), clock(1)).project.freeze).toBeUndefined();
  });

  test('a request that comes again is known', () => {
    const again = { ...release('c1'), id: 'r1' };

    expect(after(again, again, { ...release('c2'), id: 'r1' }).came).toEqual(['moved', 'repeated', 'repeated']);
  });
});
