import { expect, test } from 'vitest';
import type { Model } from './state.ts';
import type { Version } from './version.ts';
import { versionState } from './version-state.ts';

/** As far as a version's state is read off them. */
const version = (more: Partial<Version>): Version => ({ number: 2, ...more }) as Version;
const model = (more: Partial<Model>): Model => ({ served: [], ...more }) as unknown as Model;
const rollout = (more: object) => ({ candidate: 2, ...more }) as NonNullable<Model['rollout']>;
const approved = { status: 'approved' } as const;
const refused = { passed: false, checks: [] };
const bad = { at: 1, because: 'errors' };

test.each<[string, Partial<Version>, Partial<Model>]>([
  ['trained', {}, {}],
  ['refused', { verdict: refused }, {}],
  ['pending', { approval: { status: 'pending' } }, {}],
  ['rejected', { approval: { status: 'rejected' } }, {}],
  ['superseded', { approval: { status: 'superseded' } }, {}],
  ['approved', { approval: approved }, {}],
  ['offered', { approval: approved }, { offered: { version: 2 } }],
  ['rollingOut', { approval: approved }, { rollout: rollout({ status: 'baking' }), offered: { version: 2 } }],
  ['aborted', { approval: approved }, { rollout: rollout({ status: 'aborted', endedAt: 1 }) }],
  ['champion', { approval: approved }, { champion: 2 }],
  ['served', { approval: approved }, { champion: 3, served: [{ at: 1, version: 2, because: '' }] }],
  ['quarantined', { approval: approved, quarantined: bad }, { champion: 2 }],
])('a version is %s', (state, ofVersion, ofModel) => {
  expect(versionState(version(ofVersion), model(ofModel))).toBe(state);
});
