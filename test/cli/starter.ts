import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { begin, folder, serin } from './command.ts';

/** A folder as `serin init` makes it, with some of its config replaced. */
export async function starter(change = (config: string): string => config): Promise<string> {
  const cwd = folder();
  await serin(['init'], { cwd });
  const file = join(cwd, 'serin.config.ts');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  return cwd;
}

/** A running `serin dev` that has released its config; what it left running is killed when the test ends. */
export async function dev(cwd: string): Promise<{ readonly child: ChildProcess; readonly ended: Promise<unknown> }> {
  const child = begin(['dev', '--port', '0', '--json'], { cwd });
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(() => endLeftovers(cwd));
  const said: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    said.push(line);
    if (!line.includes('"type":"released"')) continue;
    child.stdout?.resume();
    return { child, ended };
  }
  throw new Error(`it ended and said: ${said.join('\n')}`);
}

function endLeftovers(cwd: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(cwd)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Another user's, or gone.
    }
}

/** What a command prints as JSON. */
export const printed = async (args: readonly string[], cwd: string) =>
  JSON.parse((await serin([...args, '--json'], { cwd })).stdout);

/** Asks the model of the starter. */
export function predict(cwd: string): Promise<Response> {
  const { url, token } = JSON.parse(readFileSync(join(cwd, '.serin', 'server.json'), 'utf8'));
  return fetch(`${url}/endpoints/line/invocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: '{"instances":[{"x":3}]}',
  });
}
