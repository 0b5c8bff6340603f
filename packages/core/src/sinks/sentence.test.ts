import { describe, expect, test } from 'vitest';
import { eventTypes } from '../base/event-types.ts';
import { sentenceOf } from './sentence.ts';

const time = '2026-03-01T10:00:00Z';
const said = (type: string, data: Readonly<Record<string, string | number | object>> = {}) =>
  sentenceOf({
    id: 'model/fraud/7/0',
    source: 'serin://local',
    type: `dev.serin.${type}.v1`,
    subject: 'models/fraud',
    time,
    data: JSON.parse(JSON.stringify({ model: 'fraud', ...data })),
  }).said;

describe('a sentence says in one line', () => {
  test.each([
    [
      'data.seen',
      { object: 'fraud/a.csv', settlesAt: '2026-03-01T10:00:30Z' },
      'new data: fraud/a.csv; it is taken if nothing more comes within 30s',
    ],
    ['data.seen', { object: 'fraud/_DONE' }, 'new data: fraud/_DONE'],
    ['data.seen', { settlesAt: '2026-03-01T10:02:00Z' }, 'looks for new data in 2m'],
    [
      'dataset.settled',
      { digest: '3fa9c1d0e2b4aaaa', objects: 3, bytes: 26_100 },
      'dataset 3fa9c1d0e2b4 settled: 3 objects, 26.1 KB',
    ],
    ['dataset.settled', { digest: '3f', objects: 1, bytes: 1 }, 'dataset 3f settled: 1 object, 1 B'],
    ['run.started', { trigger: 'data' }, 'run started by data'],
    ['step.started', { step: 'train', attempt: 1 }, 'run trains'],
    ['step.started', { step: 'train', attempt: 2 }, 'run trains, attempt 2'],
    ['run.succeeded', { because: 'passed: auc 0.8, at least 0.5 wanted' }, 'gate passed: auc 0.8, at least 0.5 wanted'],
    ['run.succeeded', { because: 'trained; nothing to gate' }, 'run succeeded: trained; nothing to gate'],
    ['run.refused', { because: 'refused: auc 0.3 against 0.4' }, 'gate refused: auc 0.3 against 0.4'],
    [
      'run.refused',
      { because: "the dataset has 1 fault: 'age' is not there" },
      "run refused: the dataset has 1 fault: 'age' is not there",
    ],
    [
      'dataset.refused',
      { because: "the dataset has 1 fault: 'age' is not there" },
      "dataset refused: 1 fault: 'age' is not there",
    ],
    ['approval.requested', { expiresAt: '2026-03-02T10:00:00Z' }, 'waits for approval, for at most 1d'],
    ['approval.requested', {}, 'waits for approval'],
    ['version.rejected', { by: 'ann', note: 'wrong week' }, 'rejected by ann: wrong week'],
    ['rollout.started', { kind: 'rollback' }, 'rollback started'],
    [
      'rollout.promoted',
      { kind: 'rollback', because: 'v1 serves again: rolled back by ann: odd prices' },
      'serves again: rolled back by ann: odd prices',
    ],
    ['rollout.shifted', { weight: 10, until: '2026-03-01T10:02:00Z' }, 'rollout shifted to 10 %, bakes for 2m'],
    [
      'rollout.promoted',
      {
        because: 'at 50 % of the traffic: 0 % of 9 requests failed (0); a candidate that is 2 times as bad would not',
        certificate: { verdict: 'promotion' },
      },
      'rollout promoted: at 50 % of the traffic: 0 % of 9 requests failed (0)',
    ],
    [
      'rollout.certified',
      { certificate: { verdict: 'promotion', sentence: 'Promoted after 45 minutes of evidence: at 50 %; it' } },
      'certified: at 50 %',
    ],
    [
      'rollout.certified',
      {
        certificate: { verdict: 'none', sentence: 'Promoted without a test: a first version; so nothing. Now: wait.' },
      },
      'not certified: a first version',
    ],
    [
      'rollout.held',
      { because: 'it is not sure', until: '2026-03-01T12:00:00Z' },
      'rollout held: it is not sure; unless something ends it, it is taken back in 2h',
    ],
    ['rollout.aborted', { because: 'aborted by ann' }, 'rollout aborted: by ann'],
    ['endpoint.unready', { version: 2, because: 'nothing answers' }, 'is not ready: nothing answers'],
    [
      'alert.received',
      { title: 'p99 high', did: 'revert' },
      'alert received: p99 high; the rollout under way was taken back',
    ],
    ['alert.received', { title: 'p99 high', did: 'toString' }, 'alert received: p99 high'],
    [
      'alert.received',
      {
        title: 'age drifted',
        did: 'escalate',
        because: 'drift from serin: age drifted; no run: put newer data into drops',
      },
      'alert received: age drifted; somebody has to look at it: no run: put newer data into drops',
    ],
    [
      'alert.received',
      { title: 'age drifted', did: 'run', because: 'drift from serin: age drifted' },
      'alert received: age drifted; a run was started',
    ],
    ['alert.resolved', { title: 'p99 high' }, 'alert resolved: p99 high'],
    ['performance.recovered', { title: 'v1 is wrong' }, 'performance recovered: v1 is wrong'],
    [
      'performance.recovered',
      { title: 'v1 is wrong', because: 'the config changed' },
      'performance judged anew, as the config changed: v1 is wrong',
    ],
    ['drift.resolved', { title: 'age', because: 'the config changed' }, 'drift resolved, as the config changed: age'],
    ['run.failed', { because: 'exit 1:\n  ValueError\n' }, 'run failed: exit 1: ValueError'],
    ['version.restored', { by: 'ann', because: 'a mistake' }, 'restored by ann: a mistake'],
  ])('what %s %j came to', (type, data, text) => {
    expect(said(type, data)).toBe(text);
  });

  test('what an event of a later version came to, also if nobody knows it here', () => {
    expect(said('moon.risen', { because: 'it is late' })).toBe('moon risen: it is late');
    expect(said('constructor', {})).toBe('constructor');
  });

  test.each(eventTypes)('what %s came to, also without its data', (type) => {
    const text = said(type);

    expect(text).not.toMatch(/undefined|NaN|null|\n/);
    expect(text.length).toBeGreaterThan(5);
  });
});
