import { describe, expect, test } from 'vitest';
import { eventTypes } from '../base/event-types.ts';
import { type Happening, matches } from './sink.ts';
import { slack } from './slack.ts';
import { signatureOf, webhook } from './webhook.ts';

const happening: Happening = {
  id: 'model/fraud/7/0',
  source: 'serin://local/bank/prod',
  type: 'dev.serin.rollout.rolledback.v1',
  subject: 'rollouts/rol_1',
  time: '2026-03-01T10:00:00Z',
  data: { model: 'fraud', version: 4, because: 'errors: 4.1 % instead of 0.9 %', status: 'rolledBack' },
};

describe('a webhook', () => {
  test('is signed as the reference implementation of Standard Webhooks signs it', () => {
    const signature = signatureOf(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}',
    );

    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('carries the CloudEvent, and signs the very bytes that are sent', () => {
    const { url, headers, body } = webhook.request(
      happening,
      { url: 'https://a.example/x', secret: 'whsec_c2VjcmV0' },
      1_700_000_000_999,
    );

    expect(url).toBe('https://a.example/x');
    expect(JSON.parse(body)).toEqual({ specversion: '1.0', datacontenttype: 'application/json', ...happening });
    expect(headers).toEqual({
      'content-type': 'application/cloudevents+json',
      'webhook-id': 'model/fraud/7/0',
      'webhook-timestamp': '1700000000',
      'webhook-signature': signatureOf('whsec_c2VjcmV0', `model/fraud/7/0.1700000000.${body}`),
    });
  });

  test('has one signature for each secret while one is replaced', () => {
    const { headers, body } = webhook.request(
      happening,
      { url: 'https://a.example', secret: 'whsec_b2xk\nwhsec_bmV3\n' },
      0,
    );

    const signed = `model/fraud/7/0.0.${body}`;
    expect(headers['webhook-signature']).toBe(`${signatureOf('b2xk', signed)} ${signatureOf('bmV3', signed)}`);
  });

  test.each(['hunter-2!', 'whsec_', ''])('with the secret %j, which is not base64, says so without it', (secret) => {
    expect(() => webhook.request(happening, { url: 'https://a.example', secret }, 0)).toThrow(
      /^a secret of the webhook is not base64; write it as whsec_<base64>$/,
    );
  });
});

describe('a message to Slack', () => {
  const said = (of: Happening) => JSON.parse(slack.request(of, { url: 'https://hooks.slack.com/x' }).body).text;

  test('says what happened to which version, and why', () => {
    expect(said(happening)).toBe('*fraud v4* rollout rolled back: errors: 4.1 % instead of 0.9 %');
  });

  test.each([
    ['dev.serin.version.approved.v1', { model: 'fraud', version: 3, by: 'ada' }, '*fraud v3* approved by ada'],
    ['dev.serin.rollout.shifted.v1', { model: 'fraud', version: 3, weight: 25 }, '*fraud v3* rollout shifted to 25 %'],
    [
      'dev.serin.alert.received.v1',
      { model: 'fraud', title: 'p99 high', because: 'nothing is released' },
      '*fraud* alert received: p99 high',
    ],
    [
      'dev.serin.alert.received.v1',
      { model: 'fraud', title: '', because: 'nothing is released' },
      '*fraud* alert received: nothing is released',
    ],
    ['dev.serin.run.failed.v1', { model: 'fraud', because: 'exit 1' }, '*fraud* run failed: exit 1'],
  ])('%s', (type, data, text) => {
    expect(said({ ...happening, type, data })).toBe(text);
  });

  test('gives a reason no meaning of its own: it can neither call people nor make a link', () => {
    const data = { model: 'fraud', because: '<!channel> & <https://evil.example|here> *bold*' };

    expect(said({ ...happening, data })).toBe(
      '*fraud* rollout rolled back: &lt;!channel&gt; &amp; &lt;https://evil.example|here&gt; ∗bold∗',
    );
  });

  test('is by default of what somebody may have to look at', () => {
    const heard = eventTypes.filter((type) => matches(slack.defaultOn, `dev.serin.${type}.v1`));

    expect(heard.filter((type) => !type.startsWith('rollout.')).sort()).toEqual([
      'alert.received',
      'alert.resolved',
      'approval.requested',
      'drift.detected',
      'endpoint.blocked',
      'endpoint.unready',
      'performance.lost',
      'run.failed',
      'run.refused',
    ]);
    expect(heard).toContain('rollout.held');
  });

  test('is cut where a reason is endless', () => {
    expect(said({ ...happening, data: { model: 'm', because: 'x'.repeat(10_000) } }).length).toBeLessThan(2100);
  });
});

test.each([
  [['*'], true],
  [['rollout.*'], true],
  [['rollout.rolledback'], true],
  [['rollout'], false],
  [['rollout.held', 'run.*'], false],
  [['roll*'], false],
  [['roll.*'], false],
])('the patterns %j: %s', (patterns, wanted) => {
  expect(matches(patterns, 'dev.serin.rollout.rolledback.v1')).toBe(wanted);
});
