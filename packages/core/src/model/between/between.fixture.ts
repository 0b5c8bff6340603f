import { converge, type Driver, type FakeEndpoint, planOf, score, trainOne, withChampion } from '../model.fixture.ts';

export const alert = {
  type: 'alertRaised',
  kind: 'alert',
  sender: 'grafana',
  fingerprint: 'f',
  startedAt: '2026-01-01T00:00:00Z',
  title: 'errors high',
} as const;

export const resolved = { type: 'alertResolved', sender: 'grafana', fingerprint: 'f' } as const;

export const approver = { subject: 'bob', issuer: 'token', role: 'approver' } as const;

/** Nothing is compared with the champion: an offer is not scored again when the champion changes. */
export const simpleGate = { gate: { auc: { direction: 'up', atLeast: 0.5 } } } as const;

/** The next version passes the gate. */
export function offerNext(drive: Driver, endpoint: FakeEndpoint, digest: string): void {
  trainOne(drive, digest);
  score(drive, 0.9);
  converge(drive, endpoint);
}

/** v2 was taken back by an alert that still fires, and v3 has passed the gate. */
export function withFiring(changes: Parameters<typeof planOf>[0] = {}) {
  const { drive, endpoint } = withChampion(planOf({ ...simpleGate, ...changes }));
  offerNext(drive, endpoint, 'two');
  drive.say(alert);
  converge(drive, endpoint);
  offerNext(drive, endpoint, 'three');
  return { drive, endpoint };
}

export const release = (drive: Driver, revision: number, more = {}) =>
  drive.say({ type: 'configReleased', revision, plan: planOf(simpleGate), ...more });

export const freeze = (drive: Driver, revision: number) =>
  release(drive, revision, { freeze: { by: 'fay', because: 'audit' } });

export const thaw = release;

export const rolledOut = ({ state }: Driver): string => `v${state.rollout?.candidate} ${state.rollout?.status}`;
