import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { onTestFinished, test } from 'vitest';
import { begin, folder, serin } from '../cli/command.ts';

const root = join(import.meta.dirname, '..', '..');

export const exampleFolder = (name: string): string => join(root, 'examples', name);

const installed = join(root, 'test', 'emulators', '.installed');

export type Environment = Readonly<Record<string, string>>;

/** The environment in which `python3` can import a module, or why there is none: `node scripts/examples.ts` makes one. */
export function pythonWith(module: string, place = 'examples'): { readonly env: Environment; readonly why?: string } {
  const own = process.env.PATH ?? '';
  const tried = [[join(installed, place, 'bin'), own].join(delimiter), own].map((path) => {
    const env = { PATH: path, PYTHONDONTWRITEBYTECODE: '1' };
    const { status, stderr, error } = spawnSync('python3', ['-c', `import ${module}`], { env, encoding: 'utf8' });
    return { env, status, why: error?.message ?? stderr.trim().split('\n').at(-1) ?? '' };
  });
  const found = tried.find(({ status }) => status === 0);
  return found === undefined ? { env: {}, why: tried.map(({ why }) => why).join('; ') } : { env: found.env };
}

const required = (process.env.SERIN_REQUIRE ?? '').split(',');

/** Runs only where `python3` can import the module, or where it must: `SERIN_REQUIRE` has its name. */
export function withModule(module: string, place?: string) {
  const { env, why } = pythonWith(module, place);
  const runs = why === undefined || required.includes(module);
  return { env, run: runs ? test : test.skip, note: why === undefined ? '' : ` [skipped: ${why}]` };
}

/** A copy of an example whose rollout is over in seconds: nothing else of it is changed. */
export function hurriedCopy(name: string): string {
  const cwd = folder();
  cpSync(exampleFolder(name), cwd, { recursive: true });
  const file = join(cwd, 'serin.config.ts');
  const config = readFileSync(file, 'utf8');
  const hurried = config
    .replace("quiet: '10s'", "quiet: '1s'")
    .replace("bake: '10m', guard: '30m'", "bake: '1s', tick: '1s', guard: '1s'");
  if (hurried.length >= config.length + 20) throw new Error(`${name} has another pace than this expects`);
  if (!hurried.includes("tick: '1s'") || !hurried.includes("quiet: '1s'"))
    throw new Error(`${name} has no pace that could be hurried`);
  writeFileSync(file, hurried);
  return cwd;
}

/** A running `serin dev` over a project, ended with all that it has started when the test ends. */
export async function startedProject(cwd: string, env: Environment, more: readonly string[] = []) {
  // What a server leaves running by design is ended after the server itself: these callbacks run last to first.
  onTestFinished(() => endLeftovers(cwd));
  const child = begin(['dev', '--port', '0', '--json', ...more], { cwd, env });
  const said: string[] = [];
  child.stderr?.on('data', (bytes: Buffer) => said.push(String(bytes)));
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
      if (line.includes('"type":"released"')) resolve();
    });
    child.once('close', () => reject(new Error(`it ended and said: ${said.join('')}`)));
  });
  return {
    drop(bucket: string, prefix: string, file: string): void {
      const target = join(cwd, '.serin', 'buckets', bucket, prefix);
      mkdirSync(target, { recursive: true });
      cpSync(file, join(target, basename(file)));
    },
    /** The first event of this type, or the nth; one that says that a run or rollout ended otherwise throws. */
    async event(type: string, nth = 1): Promise<unknown> {
      let left = nth;
      const follower = begin(['events', 'list', '--follow', '--after', '0', '--json'], { cwd });
      const late = setTimeout(() => follower.kill(), 120_000);
      for await (const line of createInterface({ input: follower.stdout ?? process.stdin })) {
        const event = JSON.parse(line);
        if (/run\.(failed|refused)|rollout\.(rolledback|aborted)/.test(event.type)) throw new Error(line);
        if (event.type === type) left -= 1;
        if (left > 0) continue;
        clearTimeout(late);
        follower.kill();
        return event;
      }
      throw new Error(`there was no ${type} within two minutes; it said: ${said.join('')}`);
    },
    invoke: (endpoint: string, data: unknown) =>
      serin(['endpoints', 'invoke', endpoint, '--data', JSON.stringify(data)], { cwd }),
    run: async (command: readonly string[]) => JSON.parse((await serin([...command, '--json'], { cwd })).stdout),
  };
}

function endLeftovers(cwd: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(cwd)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Another user's, or gone.
    }
}
