import { expect, onTestFinished, test, vi } from 'vitest';
import { followStory } from '../../packages/cli/src/story/follow.ts';
import { storyText } from '../../packages/cli/src/story/line.ts';
import { devBanner, modelPlaces } from '../../packages/cli/src/story/opening.ts';
import { teller } from '../../packages/cli/src/story/teller.ts';
import { compiled, memoryLog, type World } from '../api/world.ts';
import { keptTerminal, screen, screenWorld } from './screens.ts';

const rollout = { steps: [10, 50], bake: '2m', guard: '2m', warmUp: 0, guardrails: { latency: false as const } };

/** A first version, one that is promoted, one that fails and is taken back, and one that waits for a person. */
async function wholeStory(): Promise<World> {
  const world = await screenWorld();
  await world.release(compiled({ rollout }));
  await world.drop('fraud/2024.csv');
  await world.drop('fraud/2025.csv', 'day,amount\n2026-01-02,1\n', 60 * 60_000);
  world.failing.set('v3', 0.3);
  await world.drop('fraud/broken.csv', 'day,amount\n2026-01-03,1\n');
  await world.release(compiled({ rollout, approval: { expires: '7d' } }));
  await world.drop('fraud/2026.csv', 'day,amount\n2026-01-04,1\n', 60_000);
  return world;
}

function told(world: World, width: number | undefined): string {
  vi.stubEnv('TZ', 'UTC');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { tell } = teller(() => 24);
  const terminal = keptTerminal(width);
  return world
    .events()
    .map((event) => tell(event))
    .map((line) => (line === undefined ? '' : storyText(line, terminal)))
    .join('');
}

screen('dev-story', async (width) => told(await wholeStory(), width));

screen('dev-opening', (width) => {
  const around = { cwd: '/home/ann/shop', version: '0.1.0', terminal: keptTerminal(width) };
  const url = 'http://127.0.0.1:7373';
  const token = 'srn_0123456789abcdef';
  const banner = devBanner(
    { url, token, tokenIsNew: true, dataDirectory: '/home/ann/shop/.serin', config: '/home/ann/shop/serin.config.ts' },
    around,
  );
  return (
    banner +
    modelPlaces(compiled({}), { url, ...around })
      .map((text) => `${text}\n`)
      .join('')
  );
});

test('on a pipe the story is a line an event, with its exact time', async () => {
  const text = told(await wholeStory(), undefined);

  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('  '));
  expect(lines.every((line) => /^2026-01-01T\d\d:\d\d:\d\d\.\d{3}Z {2}[●✔!✖] \w/.test(line))).toBe(true);
});

test('a page that signs in is named only to whoever sits at the terminal', () => {
  const opening = { url: 'http://h', token: 'srn_secret', tokenIsNew: false, dataDirectory: '/d', config: '/c' };
  const banner = (width: number | undefined) =>
    devBanner(opening, { cwd: '/', version: '1', terminal: keptTerminal(width) });

  expect(banner(80)).toContain('http://h/signin#srn_secret');
  expect(banner(undefined)).not.toContain('srn_secret');
});

test('names and reasons of others can neither move the cursor nor add a line to the story', () => {
  const { tell } = teller();
  const line = tell({
    ...{ id: 'e', source: 's', subject: 'models/m', time: '2026-01-01T00:00:00Z' },
    type: 'dev.serin.run.failed.v1',
    data: { model: 'm\u001b[2J', run: 'run_1', because: 'exit 1\u001b[31m\n12:00:00  ✔ m v1 promoted\r' },
  });

  const text = line === undefined ? '' : storyText(line, keptTerminal(80));

  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  expect(text.split('\n').filter((each) => /^\d/.test(each))).toHaveLength(1);
});

const happened = (type: string, data: object, time = '2026-01-01T00:00:00Z') => ({
  ...{ id: 'e', source: 's', subject: 'models/m', type: `dev.serin.${type}.v1`, time },
  data: { model: 'm', ...data },
});

test('a folder that is looked at without a name for what came is not told as new data', () => {
  const { tell } = teller();

  expect(tell(happened('data.seen', { objects: 0 }))).toBeUndefined();
});

test('another attempt of a step is not told as if the step had ended', () => {
  const { tell } = teller();
  const step = (step: string, attempt: number, time: string) =>
    tell(happened('step.started', { run: 'run_1', step, attempt }, time))?.text;

  tell(happened('run.started', { run: 'run_1' }));
  const lines = [
    step('train', 1, '2026-01-01T00:00:01Z'),
    step('train', 2, '2026-01-01T00:00:09Z'),
    step('evaluate', 1, '2026-01-01T00:00:12Z'),
  ];

  expect(lines).toEqual(['run trains', 'run trains, attempt 2', 'run is evaluated; train took 11s']);
});

function following(width: number | undefined, json = false) {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  onTestFinished(() => void vi.useRealTimers());
  const log = memoryLog();
  const terminal = keptTerminal(width, json);
  let requests = 0;
  const stop = followStory({
    log,
    terminal,
    rollout: async () => {
      requests += 10;
      return {
        until: Date.now() + 60_000,
        standing: { weight: 10, candidate: { requests, errors: 0 }, champion: { requests: 90, errors: 0 }, ticks: 1 },
      };
    },
  });
  onTestFinished(stop);
  const happens = (type: string, data: object = {}) =>
    log.add({
      ...{
        specversion: '1.0',
        id: `${log.last()}`,
        source: 's',
        subject: 'models/m',
        datacontenttype: 'application/json',
      },
      ...{ type: `dev.serin.${type}.v1`, time: new Date().toISOString(), data: { model: 'm', version: 2, ...data } },
    } as Parameters<typeof log.add>[0]);
  return { log, terminal, stop, happens };
}

test('with --json the story is the events, a line each', () => {
  const { terminal, happens } = following(80, true);

  happens('run.started', { run: 'run_1' });
  happens('version.registered');

  expect(
    terminal
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type),
  ).toEqual(['dev.serin.run.started.v1', 'dev.serin.version.registered.v1']);
});

test.each([
  ['a terminal', 80, 4],
  ['a pipe', undefined, 1],
])(
  'while a rollout bakes, its counts are told a few times a minute on %s, and not after its end',
  async (_, width, times) => {
    const { terminal, happens } = following(width);
    const counts = () => terminal.text().match(/requests, 0 failed/g) ?? [];

    happens('rollout.shifted', { rollout: 'ro_1', weight: 10 });
    await vi.advanceTimersByTimeAsync(61_000);
    const during = counts().length;
    happens('rollout.promoted', { rollout: 'ro_1', because: 'well' });
    await vi.advanceTimersByTimeAsync(120_000);

    expect(during).toBe(times);
    expect(counts()).toHaveLength(times);
  },
);

test('nothing is told any more once the story has ended', () => {
  const { terminal, happens, stop } = following(80);

  stop();
  happens('run.started', { run: 'run_1' });

  expect(terminal.text()).toBe('');
});
