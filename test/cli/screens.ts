import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { asFailure, Failure, failureText } from '../../packages/cli/src/failure.ts';
import { program } from '../../packages/cli/src/main.ts';
import type { Terminal } from '../../packages/cli/src/terminal.ts';
import { adminToken, compiled, openWorld, type World } from '../api/world.ts';

/**
 * Screens are kept as text in test/cli/screens, as a person sees them at 80 and at 120 columns. What they show comes
 * from the real API over the real core, so no document can drift. `npm run screens` renews them: read the difference.
 */
export function screen(name: string, draw: (width: number) => Promise<string> | string): void {
  test.each([80, 120])(`the screen '${name}' is as it is kept, at %i columns`, async (width) => {
    const text = await draw(width);

    const wide = text.split('\n').filter((line) => [...line].length > width && !isOneWord(line) && !isCommand(line));
    expect(wide, `no line is wider than ${width} columns`).toEqual([]);
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'screens', `${name}.${width}.txt`));
  });
}

/** An address or a path is better whole than cut: a terminal breaks it, and it can still be copied. */
const isOneWord = (line: string): boolean =>
  line
    .trim()
    .split(/\s+/)
    .some((word) => word.length > 60);

/** What somebody copies into a shell stays in one line. */
const isCommand = (line: string): boolean => /^ +command /.test(line);

/** A terminal that keeps what is written to it, without colour. */
export function keptTerminal(width: number | undefined, json = false): Terminal & { readonly text: () => string } {
  let text = '';
  const keep = (more: string) => {
    text += more;
  };
  return {
    json,
    interactive: false,
    width,
    out: keep,
    say: keep,
    paint: (_, painted) => painted,
    confirm: async () => false,
    text: () => text,
  };
}

/** The API in memory with its log of events, for commands of this process; the clock of both stands still. */
export async function screenWorld(more: Parameters<typeof openWorld>[0] = {}): Promise<World> {
  const world: World = await openWorld({
    ...more,
    events: {
      read: (after, limit) =>
        world
          .events()
          .map((event, index) => ({ position: index + 1, event }))
          .slice(after, after + limit),
      last: () => world.events().length,
      subscribe: () => () => {},
    },
    logs: async () => ({ text: 'epoch 1  loss 0.41\nepoch 2  loss 0.33\nsaved model.json\n', next: 53, ended: true }),
  });
  return world;
}

/** What a command shows on a terminal of this width, with the command line above it. */
export async function commandScreen(world: World, width: number, ...argv: readonly string[]): Promise<string> {
  vi.stubEnv('TZ', 'UTC');
  vi.useFakeTimers({ toFake: ['Date'], now: world.now() });
  vi.stubGlobal('fetch', async (url: string, init?: RequestInit) =>
    world.app.request(new URL(url).pathname + new URL(url).search, init),
  );
  onTestFinished(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  });
  const terminal = keptTerminal(width);
  const signal = new AbortController().signal;
  const env = { SERIN_URL: 'http://127.0.0.1:7373', SERIN_TOKEN: adminToken };
  try {
    await program(async (spec, args, options) => {
      const command = await spec.load();
      await command({ args, options, terminal, env, cwd: import.meta.dirname, signal });
    }, terminal).parseAsync([...argv], { from: 'user' });
  } catch (error) {
    const failure = asFailure(error);
    if (!(error instanceof Failure)) throw error;
    terminal.say(`${failureText(failure, width)}(exit code ${failure.exit})\n`);
  }
  return `$ serin ${argv.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(' ')}\n${terminal.text()}`;
}

const rollout: NonNullable<Parameters<typeof compiled>[0]>['rollout'] = {
  steps: [10, 50],
  bake: '2m',
  guard: '2m',
  warmUp: 0,
  guardrails: { latency: false },
};

/** A champion that serves, and a challenger in the middle of its first step. */
export async function canaryWorld(more: Parameters<typeof openWorld>[0] = {}): Promise<World> {
  const world = await screenWorld(more);
  await world.release(compiled({ rollout }));
  await world.drop('fraud/a.csv');
  await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,1\n', 100_000);
  return world;
}
