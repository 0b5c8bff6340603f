import type { Jobs } from '@serin/core/ports/jobs';
import { beforeAll, describe, expect, test } from 'vitest';
import { compiled, modelRules, openWorld, type World } from '../api/world.ts';
import { memoryJobs } from '../simulation/fakes/jobs.ts';
import { atOnce } from '../simulation/fakes/sync.ts';
import { idsOf, lived, look } from './life.ts';

let world: World;
let runs: readonly string[];

beforeAll(async () => {
  world = await lived();
  runs = await idsOf(world, 'runs');
});

describe('the page of a run', () => {
  test('says how it ended, which steps it took and what it made', async () => {
    const { title, text } = await look(world, `/runs/${runs[3]}`);

    expect(title).toBe('Run of fraud');
    expect(text).toMatch(/Run run_\w+ of fraud was refused: auc 0\.7 against 0\.81 of the champion v2/);
    expect(text).toMatch(
      /cut the hold-out \(prepare\) 1 .* train \(train\) 1 .* score it \(evaluate\) 1 .* score the champion \(champion\) 1/,
    );
    expect(text).toContain('auc 0.7 0.81 0.7');
    expect(text).toMatch(/Made v4/);
  });

  test('shows the log as it was written, and nothing in it becomes a part of the page', async () => {
    const { main, text } = await look(world, `/runs/${runs[3]}`);

    expect(text).toContain('epoch 1 <loss> 0.41');
    expect(main).not.toContain('<loss>');
    expect(main).toMatch(/data-log="[^"]*job=train&amp;attempt=1" data-next="\d+" data-ended/);
  });

  test('shows the log of another job, and says when there is none', async () => {
    const { text, main } = await look(world, `/runs/${runs[3]}?log=evaluate`);

    expect(main).toMatch(/aria-current="true">evaluate</);
    expect(text).toContain('There is no log of this job here');
  });

  test('draws what a job logged while it ran', async () => {
    const { main } = await look(world, `/runs/${runs[3]}`);

    const plot = /<figure class="plot" id="logged-loss"[\s\S]*?<\/figure>/.exec(main)?.[0] ?? '';
    expect(plot).toMatch(/<desc[^>]*>As the jobs logged it: 3 values of train, 0\.9 to 0\.3\./);
    expect(plot).toContain('<th scope="row">2</th><td data-label="train">0.3</td>');
  });

  test('says what it was made from', async () => {
    const { text } = await look(world, `/runs/${runs[1]}`);

    expect(text).toMatch(
      /Made from Data [0-9a-f]{12} 2 objects, [\d,]+ bytes of drops\/fraud\/ Dropped by admin Code [0-9a-f]{12}/,
    );
    expect(text).toContain('Command node train.mjs Hyperparameters none Hold-out --by time --column day --last 20%');
  });

  test('that goes on has its step open, says for how long, and can be cancelled', async () => {
    const { ports } = await openWorld();
    const jobs = memoryJobs({
      now: () => world.now(),
      fateOf: () => ({ waitMs: 0, runMs: 600_000, status: 'succeeded' }),
    });
    const world = await openWorld({ ports: { ...ports, jobs: atOnce<Jobs>(jobs) } });
    const hyperparameters = { rate: '<i>1</i>' };
    await world.release(compiled({ train: { ...modelRules.train, hyperparameters } }));
    await world.put('fraud/a.csv', 'day,amount\n2026-01-01,1\n');
    for (let round = 0; round < 30; round += 1) await world.pass(1000);

    const { html, text, main } = await look(world, `/runs/${(await idsOf(world, 'runs'))[0]}`);

    expect(text).toMatch(/cut the hold-out \(prepare\) 1 \w+ ago \w* ?\w+ so far/);
    expect(main).toMatch(/data-action="[^"]*\/cancel/);
    expect(text).toContain('Hyperparameters rate <i>1</i>');
    expect(html).not.toContain('<i>1');
  });

  test('that is not there says so', async () => {
    expect((await look(world, '/runs/run_00000000')).status).toBe(404);
  });
});
