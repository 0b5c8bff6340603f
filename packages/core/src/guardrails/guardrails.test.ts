import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { minute } from '../base/time.ts';
import type { GuardrailKind, Setting } from './guardrail.ts';
import { kitOf } from './kit.ts';
import { labels } from './labels.ts';
import { latency } from './latency.ts';
import { guardrailKinds, guardrailSchemas } from './list.ts';

const {
  errors: errorsOf,
  latency: latencyOf,
  labels: labelsOf,
} = guardrailSchemas(kitOf(z.string().transform(Number)));
const labelRule = (more: object = {}) => labelsOf.parse({ maturity: `${10 * minute}`, ...more }) ?? expect.fail();
const bounds = latencyOf.parse({}) || expect.fail();

const thresholds = { p50: 10, p90: 20, p99: 40, requests: 1000 };
const setting: Setting = { sticky: false, routing: 'configured', thresholds };

/** `errors harm`, `labels.worst promotes`: the streams of a guardrail, and what each may do. */
function streams<Rule extends Parameters<GuardrailKind['watch']>[0]>(
  kind: GuardrailKind<Rule>,
  rule: Rule,
  more: Partial<Setting> = {},
): readonly string[] {
  const watch = kind.watch(rule, { ...setting, ...more });
  if (watch === undefined) return [];
  if ('off' in watch) return [watch.off];
  return watch.streams.map(({ id, harm, promotes }) => `${id}${harm ? ' harm' : ''}${promotes ? ' promotes' : ''}`);
}

describe('a guardrail of errors or latency', () => {
  test('is about the whole and each segment: a segment may bring down, and need not be certified', () => {
    const [errors] = guardrailKinds.filter(({ name }) => name === 'errors');

    expect(errors && streams(errors, bounds, { segments: { by: 'x-country', values: ['ch', 'de'] } })).toEqual([
      'errors harm promotes',
      'errors@ch harm',
      'errors@de harm',
    ]);
  });

  test('of latency certifies the tail of single requests, and of users nothing', () => {
    expect(streams(latency, bounds)).toEqual([
      'latency.p50 harm',
      'latency.p90 harm promotes',
      'latency.p99 harm promotes',
    ]);
    expect(streams(latency, bounds, { sticky: true })).toEqual([
      'latency.p50 harm',
      'latency.p90 harm',
      'latency.p99 harm',
    ]);
  });

  test('of latency is off where the champion had too few requests, and nothing before they were asked for', () => {
    expect(streams(latency, bounds, { thresholds: 'none' })).toEqual([expect.stringContaining('too few requests')]);
    expect(streams(latency, bounds, { thresholds: undefined })).toEqual([]);
  });

  test('bears less than it promotes: as bad as the margin is refused', () => {
    expect(errorsOf.safeParse({ toleratedRatio: 1.9, margin: 2 }).success).toBe(true);
    expect(errorsOf.safeParse({ toleratedRatio: 2, margin: 2 }).success).toBe(false);
  });
});

describe('a guardrail of labels', () => {
  test('takes requests without a label at their worst when it promotes, and never when it brings down', () => {
    expect(streams(labels, labelRule())).toEqual(['labels harm promotes']);
    expect(streams(labels, labelRule({ missing: 'worst' }))).toEqual(['labels harm', 'labels.worst promotes']);
  });

  test.each<[string, object, Partial<Setting>, string]>([
    ['users stay with their model', {}, { sticky: true }, 'users stay with their model'],
    ['losses are of requests as they came', { kind: 'loss' }, { routing: 'realised' }, 'a fresh coin'],
    ['missing losses are taken at their worst', { kind: 'loss', missing: 'worst' }, {}, 'at its worst'],
  ])('is off where %s', (_, rule, more, why) => {
    expect(streams(labels, labelRule(rule), more)).toEqual([expect.stringContaining(why)]);
  });

  test('warns when its labels come after the last step is given up, unless it decides nothing', () => {
    const plan = { tick: minute, atMost: 11 * minute };

    expect(labels.warnings(labelRule(), plan)).toEqual([]);
    expect(labels.warnings(labelRule(), { ...plan, atMost: 11 * minute - 1 })).toEqual([
      expect.stringContaining('raise atMost'),
    ]);
    expect(labels.warnings(labelRule({ dryRun: true }), { ...plan, atMost: minute })).toEqual([]);
  });

  test.each<[object, boolean]>([
    [{ kind: 'loss', tolerated: 0.04, marginLoss: 0.05 }, true],
    [{ kind: 'loss', tolerated: 0.05, marginLoss: 0.05 }, false],
    [{ prediction: '/out/score' }, true],
    [{ prediction: '/' }, true],
    [{ prediction: '' }, false],
    [{ prediction: 'score' }, false],
    [{ maturity: `${36 * 24 * 60 * minute}` }, false],
  ])('%j is taken: %s', (rule, taken) => {
    expect(labelsOf.safeParse(rule).success).toBe(taken);
  });
});
