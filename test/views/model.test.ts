import { minute } from '@serin/core/base/time';
import { beforeAll, describe, expect, test } from 'vitest';
import { compiled, openWorld, type World } from '../api/world.ts';
import { lived, look } from './life.ts';

let world: World;

beforeAll(async () => {
  world = await lived();
});

describe('the page of a model', () => {
  test('says which version is the champion, why, and what goes on', async () => {
    const { title, text } = await look(world, '/models/fraud');

    expect(title).toBe('fraud');
    expect(text).toMatch(
      /fraud has the champion v2: promoted: in the last step, at 50 % of the traffic, .* v5 bakes at \d+ %/,
    );
    expect(text).toMatch(
      /Champion v2 Run run_\w+ succeeded Rollout ro_\w+ baking Endpoint converged v2 \d+ %, v5 \d+ %/,
    );
  });

  test('shows the score of each version with the line of the gate, and marks what was refused', async () => {
    const { main } = await look(world, '/models/fraud');

    const plot = /<figure class="plot" id="metric-auc"[\s\S]*?<\/figure>/.exec(main)?.[0] ?? '';
    expect(plot).toContain('>gate: at least 0.5</text>');
    expect(plot).toMatch(/<desc[^>]*>Each version [^<]*v2 0\.82, v3 0\.83, v4 0\.7 \(refused\), v5 0\.84\./);
    expect(plot.match(/<path class="mark bad" d/g)).toHaveLength(2);
    expect(plot).toMatch(/<tr><th scope="row">v4<\/th><td[^>]*>0\.81<\/td><td[^>]*><\/td><td[^>]*>0\.7<\/td><\/tr>/);
  });

  test('shows what served when, and the candidates that were tried', async () => {
    const { main } = await look(world, '/models/fraud');

    const band = /<figure class="plot" id="served"[\s\S]*?<\/figure>/.exec(main)?.[0] ?? '';
    for (const text of [
      '<title>v1</title>',
      '<title>v2</title>',
      '<title>v3 rolled back</title>',
      '<title>v5 baking</title>',
    ])
      expect(band).toContain(text);
  });

  test('shows of a shorter time only what was then', async () => {
    const { main } = await look(world, '/models/fraud?span=15m');

    const band = /<figure class="plot" id="served"[\s\S]*?<\/figure>/.exec(main)?.[0] ?? '';
    expect(band).not.toContain('<title>v1</title>');
    expect(band.match(/<rect/g)).toHaveLength(2);
  });

  test('shows the traffic of each version, and says how long answers took', async () => {
    const { text, main } = await look(world, '/models/fraud?span=1h');

    expect(text).toMatch(/Half of the [\d,]+ requests took at most 20 ms, 90 % at most 100 ms, 99 % at most 1000 ms/);
    for (const id of ['requests', 'errors', 'slow']) expect(main).toContain(`<figure class="plot" id="${id}"`);
    expect(main).toContain('aria-current="true">1h</a>');
  });

  test('lists what came of each drop, with the numbers of the gate', async () => {
    const { text } = await look(world, '/models/fraud');

    expect(text).toMatch(/run_\w+ refused v4 refused: auc 0\.7 against 0\.81 of the champion v2, not within 0\.01/);
    expect(text).toMatch(/v3 quarantined 0\.83/);
  });

  test('says how it is asked', async () => {
    const { text } = await look(world, '/models/fraud');

    expect(text).toContain("curl -d ' what the model takes ' http://…/endpoints/fraud/invocations");
    expect(text).toContain('serin predict fraud');
  });

  test('of which nothing has been trained yet says what is missing', async () => {
    const { text } = await look(world, '/models/churn');

    expect(text).toContain('churn has no champion');
    expect(text).toContain('No version has been scored on a hold-out yet.');
    expect(text).toContain('There is no traffic: it has no endpoint yet.');
    expect(text).toContain('No run has been started yet: drop data, or start one.');
    expect(text).toContain('Nothing serves yet.');
  });

  test('says which alerts fire', async () => {
    const alarmed = await openWorld();
    await alarmed.release(compiled());
    await alarmed.drop();
    const alert = {
      status: 'firing',
      labels: { alertname: 'too many <b>errors</b>', serin_model: 'fraud' },
      annotations: {},
      startsAt: new Date(alarmed.now()).toISOString(),
      endsAt: '0001-01-01T00:00:00Z',
      fingerprint: '3c278354a4b68dc0',
    };
    await alarmed.call('POST', '/v1/hooks/alertmanager', {
      ...{ version: '4', groupKey: 'g', status: 'firing', receiver: 'serin' },
      alerts: [alert],
    });
    await alarmed.pass(minute);

    const { text, html } = await look(alarmed, '/models/fraud');

    expect(text).toMatch(
      /Alerts that fire too many <b>errors<\/b> \(alertmanager, 1m ago \) : somebody has to look at it/,
    );
    expect(html).not.toContain('<b>errors');
  });

  test('says what an alert that waits will do, and when', async () => {
    const going = await openWorld();
    await going.release(compiled({ monitor: { onDrift: 'run' } }));
    await going.drop();
    await going.call('POST', '/v1/runs', { model: 'fraud', force: true });
    const event = {
      ...{ specversion: '1.0', id: 'e', source: 'evidently', type: 'dev.serin.alert.raised.v1' },
      data: { model: 'fraud', kind: 'drift', title: 'age drifts', fingerprint: 'f' },
    };
    await going.call('POST', '/v1/events', event, { headers: { 'content-type': 'application/cloudevents+json' } });

    const { text } = await look(going, '/models/fraud');

    expect(text).toMatch(
      /age drifts \(evidently, [^)]*\) : a run starts after the end of run run_\w+, if it still fires then/,
    );
    const { body } = await going.call('GET', '/v1/models/fraud');
    expect(body.monitor.alerts).toEqual([
      expect.objectContaining({ did: 'wait', next: expect.stringContaining('a run starts after'), until: body.at }),
    ]);
  });
});

describe('the page of a version', () => {
  test('that did harm says why it does not serve, and offers to restore it', async () => {
    const { title, text, main } = await look(world, '/models/fraud/versions/3');

    expect(title).toBe('v3 of fraud');
    expect(text).toMatch(/v3 of fraud is quarantined: [\d.]+ % of the candidate's [\d,]+ requests failed/);
    expect(main).toMatch(/data-action="[^"]*\/versions\/3\/restore/);
    expect(text).toContain('Compare with the champion v2');
  });

  test('that was refused shows each number of the gate', async () => {
    const { text } = await look(world, '/models/fraud/versions/4');

    expect(text).toContain('It was refused: auc 0.7 against 0.81 of the champion v2, not within 0.01.');
    expect(text).toContain('auc at least 0.5 0.7 yes auc no worse than the champion by more than 0.01 0.7 0.81 no');
    expect(text).toContain('It has never been rolled out.');
  });

  test('says what it was made from', async () => {
    const { text } = await look(world, '/models/fraud/versions/2');

    expect(text).toMatch(
      /Made from run run_[0-9a-f]{12} trigger data dataset [0-9a-f]{12} .* split --by time --column day --last 20%/,
    );
    expect(text).toMatch(/Rollouts In which it was the candidate .* promoted in the last step, at 50 %/);
  });

  test('that is not there says so', async () => {
    const { status, text } = await look(world, '/models/fraud/versions/99');

    expect(status).toBe(404);
    expect(text).toContain('there is no version 99 of fraud any more');
  });
});

describe('the comparison of two versions', () => {
  test('says which is better, on which hold-out, and what differs', async () => {
    const { text } = await look(world, '/models/fraud/compare?a=4&b=2');

    expect(text).toContain('v4 is worse in auc than v2, on the same hold-out.');
    expect(text).toContain('auc 0.7 0.81 -0.11 worse');
    expect(text).toMatch(/dataset [0-9a-f]{12} [0-9a-f]{12} differs code [0-9a-f]{12} [0-9a-f]{12} same/);
    expect(text).toContain('serin compare fraud@4 fraud@2');
  });

  test('knows of which metric less is better', async () => {
    let loss = 0.5;
    const falling = await openWorld({ auc: () => loss });
    await falling.release(compiled({ gate: { auc: { direction: 'down', atMost: 0.9 } } }));
    await falling.drop();
    loss = 0.4;
    await falling.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n');

    const { text } = await look(falling, '/models/fraud/compare?a=2&b=1');

    expect(text).toContain('v2 is better in auc than v1');
  });

  test('without a choice takes the newest and the champion', async () => {
    const { text } = await look(world, '/models/fraud/compare');

    expect(text).toContain('serin compare fraud@5 fraud@2');
  });

  test('of a model without versions says that there are none', async () => {
    const { text } = await look(world, '/models/churn/compare');

    expect(text).toContain('There are not two versions yet.');
  });

  test('with something that is no version says so', async () => {
    const { status } = await look(world, '/models/fraud/compare?a=x&b=2');

    expect(status).toBe(404);
  });
});
