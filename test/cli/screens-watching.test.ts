import { describe, expect, test } from 'vitest';
import type { Client } from '../../packages/cli/src/client.ts';
import { newestOf } from '../../packages/cli/src/wait.ts';
import { liveScreen } from '../../packages/cli/src/watching/live.ts';
import { type RolloutDocument, rolloutFrame } from '../../packages/cli/src/watching/rollout-frame.ts';
import { type RunDocument, runFrame } from '../../packages/cli/src/watching/run-frame.ts';
import { statusFrame } from '../../packages/cli/src/watching/status-frame.ts';
import { watched } from '../../packages/cli/src/watching/watch.ts';
import { compiled, type World } from '../api/world.ts';
import { canaryWorld, keptTerminal, screen, screenWorld } from './screens.ts';

const rules = { steps: [10, 50], bake: '2m', guard: '2m', warmUp: 0, guardrails: { latency: false as const } };
const minute = 60_000;

async function rolloutOf(world: World, width: number): Promise<string> {
  const { rollout } = await world.model();
  const { body } = await world.call('GET', `/v1/rollouts/${rollout.id}`);
  return rolloutFrame(body as RolloutDocument, world.now(), keptTerminal(width));
}

async function runOf(world: World, width: number, log = ''): Promise<string> {
  const { run } = await world.model();
  const { body } = await world.call('GET', `/v1/runs/${run.id}`);
  return runFrame(body as RunDocument, log, world.now(), keptTerminal(width));
}

async function statusOf(world: World, width: number): Promise<string> {
  const { body } = await world.call('GET', '/v1/status');
  const { rollout } = await world.model();
  const found = rollout === undefined ? undefined : (await world.call('GET', `/v1/rollouts/${rollout.id}`)).body;
  return statusFrame(body, new Map(found === undefined ? [] : [[rollout.id, found]]), world.now(), keptTerminal(width));
}

/** A challenger that has baked for a while; `share` of its requests fail. */
async function baking(share = 0, passMs = 1.6 * minute): Promise<World> {
  const world = await canaryWorld();
  world.failing.set('v1', 0.01);
  world.failing.set('v2', share);
  await world.pass(passMs);
  return world;
}

/** A challenger that nobody asks: there is no evidence for it, and it is held. */
async function held(): Promise<World> {
  const world = await screenWorld();
  await world.release(
    compiled({ rollout: { ...rules, guardrails: { ...rules.guardrails, errors: { floor: 0.00001 } } } }),
  );
  await world.drop('fraud/a.csv');
  await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,1\n', 15 * minute);
  return world;
}

async function waiting(): Promise<World> {
  const world = await screenWorld();
  await world.release(compiled({ rollout: rules, approval: { expires: '7d' } }));
  await world.drop('fraud/a.csv', 'day,amount\n2026-01-02,1\n', minute);
  await world.put('fraud/b.csv', 'day,amount\n2026-01-03,1\n');
  await world.call('POST', '/v1/events', {
    ...{
      specversion: '1.0',
      id: 'a1',
      source: '/t',
      type: 'dev.serin.data.arrived.v1',
      time: new Date(world.now()).toISOString(),
    },
    data: { bucket: 'drops', key: 'fraud/b.csv' },
  });
  return world;
}

async function refused(): Promise<World> {
  const world = await screenWorld();
  await world.release(compiled({ rollout: rules, gate: { auc: { direction: 'up', atLeast: 0.9 } } }));
  await world.drop('fraud/a.csv');
  return world;
}

screen('rollout-watch-baking', async (width) => rolloutOf(await baking(0.01), width));
screen('rollout-watch-promoted', async (width) => rolloutOf(await baking(0.01, 20 * minute), width));
screen('rollout-watch-rolled-back', async (width) => rolloutOf(await baking(0.3, 20 * minute), width));
screen('rollout-watch-held', async (width) => rolloutOf(await held(), width));
screen('run-watch', async (width) => runOf(await canaryWorld(), width, 'epoch 1  loss 0.41\nepoch 2  loss 0.33\n'));
screen('run-watch-refused', async (width) => runOf(await refused(), width));
screen('status-watch-baking', async (width) => statusOf(await baking(0.01), width));
screen('status-watch-held', async (width) => statusOf(await held(), width));
screen('status-watch-waiting', async (width) => statusOf(await waiting(), width));
screen('status-watch-rolled-back', async (width) => statusOf(await baking(0.3, 20 * minute), width));

/** A terminal that does what the codes say, as far as a frame needs: its rows, and whether the cursor is shown. */
function emulated(width: number, height: number) {
  let rows: string[] = [''];
  let row = 0;
  let cursor = true;
  function out(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    for (const [token] of text.matchAll(/\u001b\[[?\d]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g)) {
      if (token === '\n') row += 1;
      else if (/\[\d*A$/.test(token)) row -= Number(/\d+/.exec(token)?.[0] ?? 1);
      else if (token.endsWith('[J')) rows = rows.slice(0, row);
      else if (token.endsWith('?25l')) cursor = false;
      else if (token.endsWith('?25h')) cursor = true;
      else if (token.startsWith('\u001b') || token === '\r') continue;
      else rows[row] = token;
      rows[row] ??= '';
    }
  }
  return { terminal: { out, width, height }, rows: () => rows.join('\n').trimEnd(), hasCursor: () => cursor };
}

describe('a frame on a terminal', () => {
  test('is drawn over the one before, also if it is shorter, and under what stood there', () => {
    const { terminal, rows, hasCursor } = emulated(80, 24);
    terminal.out('$ serin status --watch\n');
    const live = liveScreen(terminal);

    live.draw('one\ntwo\nthree\n');
    live.draw('uno\ndos\n');

    expect(rows()).toBe('$ serin status --watch\nuno\ndos');
    expect(hasCursor()).toBe(false);
  });

  test('that is taller than the terminal is cut, and says so', () => {
    const { terminal, rows } = emulated(80, 5);
    const live = liveScreen(terminal);

    live.draw('1\n2\n3\n4\n5\n6\n');
    live.draw('1\n2\n3\n4\n5\n6\n');

    expect(rows()).toBe('1\n2\n3\n… 3 more lines');
  });

  test('counts the rows that its lines take once the terminal was made narrower', () => {
    const { terminal } = emulated(80, 24);
    const written: string[] = [];
    const narrow = { ...terminal, out: (text: string) => void written.push(text) };
    const live = liveScreen(narrow);
    live.draw(`${'x'.repeat(60)}\nshort\n`);
    Object.assign(narrow, { width: 25 });

    live.draw('after\n');

    expect(written.at(-1)).toContain('\u001b[4A');
  });

  test('leaves the cursor as it was, once, however it ends', () => {
    const { terminal, rows, hasCursor } = emulated(80, 24);
    const live = liveScreen(terminal);
    live.draw('one\n');

    live.end();
    live.end();
    live.draw('never\n');

    expect(hasCursor()).toBe(true);
    expect(rows()).toBe('one');
    expect(process.listeners('exit')).not.toContain(live.end);
  });
});

describe('what is asked to be watched', () => {
  const client = (...ids: readonly string[]) =>
    ({ list: async () => ({ items: ids.map((id) => ({ id })) }) }) as unknown as Client;

  test.each(['run_019b76e88ab0', '019b76e8', 'ro_1'])('%s is an id, or its beginning', async (given) => {
    expect(await newestOf(client('run_newest'), 'runs', given)).toBe(given);
  });

  test('is the newest of a model by the name of the model', async () => {
    expect(await newestOf(client('run_newest', 'run_older'), 'runs', 'fraud-2')).toBe('run_newest');
    await expect(newestOf(client(), 'rollouts', 'fraud')).rejects.toMatchObject({
      exit: 3,
      message: 'fraud has no rollouts yet',
    });
  });
});

describe('what is watched', () => {
  const states = [{ n: 1 }, { n: 1 }, { n: 2 }, { n: 3, endedAt: 'now' }];
  const watch = async (terminal: ReturnType<typeof keptTerminal>, watch = false) => {
    let at = -1;
    const invocation = {
      args: [],
      options: { watch },
      terminal,
      env: {},
      cwd: '/',
      signal: new AbortController().signal,
    };
    const last = await watched(invocation, {
      what: 'a thing',
      look: async (): Promise<(typeof states)[number]> => {
        at += 1;
        return states[Math.min(at, states.length - 1)] ?? { n: 0 };
      },
      isOver: (seen) => 'endedAt' in seen,
      frame: (seen) => `frame ${JSON.stringify(seen)}`,
      changes: (seen, before) => (JSON.stringify(seen) === JSON.stringify(before) ? '' : `line ${seen.n}\n`),
    });
    return { last, text: terminal.text() };
  };

  test('is a line for each change on a pipe, without a code of a terminal', async () => {
    const { text, last } = await watch(keptTerminal(undefined));

    expect(text).toBe('line 1\nline 2\nline 3\n');
    expect(last).toEqual({ n: 3, endedAt: 'now' });
  });

  test('is a document for each change with --json --watch, and nothing with --json only', async () => {
    const each = await watch(keptTerminal(80, true), true);
    const none = await watch(keptTerminal(80, true));

    expect(
      each.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).n),
    ).toEqual([1, 2, 3]);
    expect(none.text).toBe('');
  });

  test('is drawn in its place on a terminal, its end included', async () => {
    const { text } = await watch(keptTerminal(80));

    expect(text).toContain('frame {"n":3,"endedAt":"now"}');
    expect(text.endsWith('\u001b[?25h')).toBe(true);
  });
});
