import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { commands } from '../../packages/cli/src/commands.ts';
import { bin, folder, serin } from '../cli/command.ts';
import { exampleFolder, pythonWith, startedProject } from './one-machine.ts';

const root = join(import.meta.dirname, '..', '..');
const example = exampleFolder('weather');
const { env, why } = pythonWith('sklearn, pandas, matplotlib, nbformat');
const isRequired = (process.env.SERIN_REQUIRE ?? '').split(',').includes('sklearn');
const note = why === undefined ? '' : ` [skipped: ${why}; npm run examples]`;
const inPython = why === undefined || isRequired ? test : test.skip;

const quickstart = readFileSync(join(root, 'docs/quickstart.md'), 'utf8');

/** A copy of the example at another pace: nothing else of it is changed. */
function hurried(): string {
  const cwd = folder();
  cpSync(example, cwd, { recursive: true });
  const file = join(cwd, 'serin.config.yaml');
  const config = readFileSync(file, 'utf8');
  const pace: readonly (readonly [string, string])[] = [
    ['quiet: 3s', 'quiet: 500ms'],
    ['bake: 10s', 'bake: 1s'],
    ['guard: 10s', 'guard: 1s'],
  ];
  expect(pace.filter(([usual]) => !config.includes(usual))).toEqual([]);
  writeFileSync(
    file,
    pace.reduce((text, [usual, fast]) => text.replace(usual, fast), config),
  );
  return cwd;
}

/** The rows of a table of Markdown whose first cell is a year. */
const yearsIn = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => /^\| 20\d\d /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe(`the weather example${note}`, () => {
  test('has a config without a problem or a warning', async () => {
    const { exit, stdout } = await serin(['validate', '--json'], { cwd: example });

    expect([exit, JSON.parse(stdout)]).toMatchObject([0, { valid: true, warnings: [] }]);
  });

  test('takes the versions of packages that are tested', () => {
    const wanted = readFileSync(join(example, 'requirements.txt'), 'utf8').trim().split('\n');
    const tested = ['examples/sklearn/image/requirements.txt', 'test/python/requirements.txt'].flatMap((file) =>
      readFileSync(join(root, file), 'utf8').split('\n'),
    );

    expect(wanted.filter((line) => !tested.includes(line))).toEqual([]);
  });

  inPython(
    'has a notebook that runs from top to bottom, and its README says what comes out',
    { timeout: 600_000 },
    async () => {
      const cwd = hurried();
      await startedProject(cwd, env);

      const { status, stdout, stderr } = spawnSync(
        'python3',
        [join(root, 'test/python/notebook.py'), 'weather.ipynb'],
        {
          cwd,
          env: { ...env, HOME: cwd, MPLCONFIGDIR: cwd, PYTHONPATH: join(root, 'clients/python') },
          encoding: 'utf8',
        },
      );

      expect([status, stderr]).toEqual([0, '']);
      const readme = yearsIn(readFileSync(join(example, 'README.md'), 'utf8'));
      expect(readme).toHaveLength(4);
      for (const [, year = '', outcome = '', fresh = '', champion = ''] of readme) {
        const [, run, accuracy, beside = ''] =
          new RegExp(`^${year} +(\\w+) +([\\d.]+) +([\\d.NaN]+)$`, 'm').exec(stdout) ?? [];
        expect([year, run]).toEqual([year, outcome]);
        expect(Number(accuracy)).toBeCloseTo(Number(fresh), 2);
        if (champion !== '-') expect(Number(beside)).toBeCloseTo(Number(champion), 2);
      }
      expect(stdout).toMatch(/^v1 said \w+, it was \w+: recorded$/m);
      expect(stdout).toMatch(/^v3: promoted\. /m);
      expect(stdout).toMatch(/^v4 +\d+\.0$/m);

      const looks = wordsIn(/^\$ serin (.*)/gm).filter((words) =>
        /^(runs|versions|rollouts) list|^why|^predict|^models history/.test(words.join(' ')),
      );
      expect(looks.length).toBeGreaterThan(5);
      for (const words of looks) expect([words, (await serin(words, { cwd })).exit]).toEqual([words, 0]);
    },
  );
});

/** What is typed on the page behind a heading, and what it is said to print. */
function typedUnder(heading: string): readonly { readonly command: string; readonly printed: string }[] {
  const text = readFileSync(join(example, 'README.md'), 'utf8');
  const part = text.split(`## ${heading}\n`)[1]?.split('\n## ')[0]?.split('\n| file |')[0] ?? '';
  const blocks = [...part.matchAll(/^```\n(\$ [\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((typed) => {
        const [command = '', ...printed] = typed.split('\n');
        return { command, printed: printed.join('\n') };
      }),
  );
}

/** Without what differs from time to time: ids, times, and where lines end. */
const lasting = (printed: string): string =>
  printed
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z| UTC)/g, '<time>')
    .replaceAll(/run_[0-9a-f.]+/g, '<run>')
    .replaceAll(/\s+/g, ' ')
    .trim();

type Project = Awaited<ReturnType<typeof startedProject>>;

/** Types what the page says, each when what came before is over, and compares what is printed. */
async function typed(heading: string, cwd: string, project: Project, model: string): Promise<void> {
  const steps = typedUnder(heading);
  expect(steps.length).toBeGreaterThan(2);
  let runs = (await runsOf(project, model)).length;
  for (const { command, printed } of steps) {
    const before = (await windowsOf(project, model)).length;
    const ours = command.replaceAll('npx serin', `${process.execPath} ${bin}`);
    const { status, stdout, stderr } = spawnSync('sh', ['-c', ours], {
      cwd,
      env: { ...env, HOME: cwd },
      encoding: 'utf8',
    });
    expect([command, status, stderr.replace(/^(answered by|see what) .*\n/gm, '')]).toEqual([command, 0, '']);
    if (printed !== '') expect(lasting(stdout)).toBe(lasting(printed));
    if (command.includes('serin drop')) {
      runs += 1;
      await until(async () => {
        const all = await runsOf(project, model);
        return all.length === runs && all.every(({ status }) => ['succeeded', 'refused'].includes(status));
      });
      // What is asked before the new version serves is answered by the one before.
      const [newest] = await runsOf(project, model);
      if (newest?.status === 'succeeded')
        await until(async () => (await project.run(['models', 'get', model])).champion === newest.version);
    }
    if (command.includes('serin predict'))
      await until(async () => {
        const windows = await windowsOf(project, model);
        return windows.length > before && windows.at(-1)?.rows === 92;
      });
  }
}

const runsOf = async (
  project: Project,
  model: string,
): Promise<readonly { readonly status: string; readonly version?: number }[]> =>
  (await project.run(['runs', 'list', '--model', model])).items;
const windowsOf = async (project: Project, model: string): Promise<readonly { readonly rows: number }[]> =>
  (await project.run(['drift', model])).windows;

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(500);
}

/** What follows `serin` on the page, as a shell splits it. */
const wordsIn = (pattern: RegExp): readonly (readonly string[])[] =>
  [...quickstart.matchAll(pattern)].map(([, words = '']) =>
    [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
  );

describe(`the commands of the README of the weather example${note}`, () => {
  inPython('find a file in another unit before it is trained on', { timeout: 300_000 }, async () => {
    const cwd = hurried();
    const project = await startedProject(cwd, env);
    project.drop('drops', 'weather/', join(example, 'data', '2012.csv'));
    await project.event('dev.serin.rollout.promoted.v1');

    await typed('A file in another unit is refused', cwd, project, 'weather');
  });

  inPython('find that the summer is no winter, and what was done', { timeout: 300_000 }, async () => {
    const cwd = hurried();
    const project = await startedProject(cwd, env, ['--config', 'season.yaml']);

    await typed('A season is drift', cwd, project, 'season');

    const { events } = await project.run(['events', 'list', '--after', '0']);
    const said = lasting(
      JSON.stringify(events.filter(({ event }: { event: { type: string } }) => event.type.includes('alert.received'))),
    );
    const told = /^season alert received: ([^`]*)/m.exec(readFileSync(join(example, 'README.md'), 'utf8'))?.[1] ?? '';
    for (const part of lasting(told).split('; ')) expect(said).toContain(part.split(': ').at(-1));
  });
});

describe('the quickstart', () => {
  test('names only commands and files that are there', () => {
    const typed = wordsIn(/(?:^\$ |&& |`)serin ([a-z][^`\n]*)/gm);
    const known = commands.map(({ name }) => name);
    const unknown = typed.filter((words) => !known.some((name) => `${words.join(' ')} `.startsWith(`${name} `)));

    expect(typed.length).toBeGreaterThan(12);
    expect(unknown).toEqual([]);
    for (const [, file = ''] of quickstart.matchAll(/^\$ serin drop weather (\S+)/gm))
      expect(readFileSync(join(example, file), 'utf8')).toContain('date,precipitation');
  });

  inPython('prints what its training by hand prints', () => {
    const { stdout } = spawnSync('python3', ['train.py', '--model-dir', folder()], {
      cwd: join(example, 'src'),
      env,
      encoding: 'utf8',
    });

    expect(quickstart).toContain(`\n${stdout}`);
    expect(stdout).toContain('trained on 1461 days');
  });
});
