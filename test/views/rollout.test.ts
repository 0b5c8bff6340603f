import { beforeAll, describe, expect, test } from 'vitest';
import type { World } from '../api/world.ts';
import { idsOf, lived, look } from './life.ts';

let world: World;
let rollouts: readonly string[];
const page = (number: number, token?: string) => look(world, `/rollouts/${rollouts[number - 1]}`, token);

beforeAll(async () => {
  world = await lived();
  rollouts = await idsOf(world, 'rollouts');
});

describe('the page of a rollout', () => {
  test('that did harm says what it did, what was assumed and what breaks it', async () => {
    const { title, text, main } = await page(3);

    expect(title).toBe('Rollout of v3 of fraud');
    expect(text).toMatch(
      /The rollout of v3 of fraud was rolled back: [\d.]+ % of the candidate's [\d,]+ requests failed/,
    );
    expect(text).toContain('State rolled back');
    expect(text).toMatch(/Champion before [\dhm ]+, [\d,]+ requests, 0\.1 % failed/);
    expect(text).toContain('All traffic went back to v2 . v3 gets no more traffic until somebody restores it.');
    expect(text).toContain(
      'Odds of harm of 100 to 1 are the line at which a candidate is rolled back. One that is no worse',
    );
    expect(text).toMatch(/Evidence of harm: [\d,]+ to 1, from \d+ ticks of 1m\. Traffic is taken back at 100 to 1\./);
    expect(text).toContain('each request was sent to a model by a fresh coin, with the weight that was set Untrue if');
    expect(text).toMatch(/What happened .* started by gate .* step 1 of 2: 10 % to v3 .* all traffic back to v2/);
    expect(main).not.toContain('data-action');
  });

  test('draws the evidence with the two thresholds, in odds', async () => {
    const { main } = await page(3);

    const evidence = /<figure class="plot" id="evidence"[\s\S]*?<\/figure>/.exec(main)?.[0] ?? '';
    expect(evidence).toContain('>taken back at 100 to 1</text>');
    // It never came to the step whose requests speak for a promotion.
    expect(evidence).not.toContain('promoted at 20 to 1');
    expect(evidence).not.toContain('safety (the weakest)');
    expect(evidence).toMatch(/<desc[^>]*>Evidence of harm is now [\d,]+ to 1; traffic goes back at 100 to 1/);
    expect(evidence).toMatch(/<th scope="row">2026-01-01 \d\d:\d\d:00<\/th>/);
  });

  test('that was promoted shows each step of its weight, and how the candidate compares', async () => {
    const { main, text } = await page(2);

    const evidence = /<figure class="plot" id="evidence"[\s\S]*?<\/figure>/.exec(main)?.[0] ?? '';
    for (const weight of ['10 %', '50 %', '95 %']) expect(evidence).toContain(`<title>${weight}</title>`);
    expect(evidence).toContain('>promoted at 20 to 1</text>');
    expect(evidence).toContain('requests slower than 100 ms (about 10 % before): times the champion&#39;s</text>');
    expect(text).toMatch(
      /latency\.p90 requests slower than 100 ms \(about 10 % before\) [\d,]+ of [\d,]+ \(10 %\) [\d,]+ of [\d,]+ \(10 %\) 0\.\d+ to 1\.\d+/,
    );
  });

  test('that goes on can be paused and aborted, and has no certificate yet', async () => {
    const { text, main } = await page(4);

    expect(text).toContain('State baking');
    expect(text).toContain('The judge has not decided yet.');
    expect(main).toMatch(/data-action="[^"]*\/pause/);
    expect(main).toMatch(/data-action="[^"]*\/abort/);
  });

  test('of a first version has nothing to compare with, and says so', async () => {
    const { text, main } = await page(1);

    expect(text).toContain('Champion then none: it is the first version');
    expect(text).toContain(
      'there was no champion to compare it with: only the absolute limits protected you Untrue if',
    );
    expect(main).not.toContain('takes back at');
  });

  test('verifies in the browser for an administrator, and says to others that the server can', async () => {
    const [admin, viewer] = [await page(3), await page(3, await world.token('viewer'))];

    expect(admin.main).toMatch(/data-verify-here>/);
    expect(viewer.main).toMatch(/data-verify-here aria-disabled="true" aria-describedby="verify-refused"/);
    expect(viewer.text).toContain('The server can do it for you.');
  });

  test('that is not there says so', async () => {
    const { status, text } = await look(world, '/rollouts/ro_00000000');

    expect(status).toBe(404);
    expect(text).toContain("there is no rollout 'ro_00000000'");
  });

  test('is found by the beginning of its id', async () => {
    const { status, title } = await look(world, `/rollouts/${rollouts[1]?.slice(0, 14)}`);

    expect([status, title]).toEqual([200, 'Rollout of v2 of fraud']);
  });
});
