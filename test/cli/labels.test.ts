import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { folder, problem, serin, stubServer } from './command.ts';
import { dev, predict, printed, starter } from './starter.ts';

const time = '2026-01-02T08:00:00Z';
const label = (requestId: string, truth: unknown = 1) => JSON.stringify({ requestId, time, truth });

/** A server that records whatever label it gets. */
const recording = () =>
  stubServer(({ body }) => ({
    body: { results: [], totals: { recorded: JSON.parse(body).labels.length, unknown: 1 } },
  }));

test('labels of a file are sent in batches of 1,000, and their totals are shown', async () => {
  const { env, received } = await recording();
  const cwd = folder();
  const lines = Array.from({ length: 2300 }, (_, index) => label(`r${index}`));
  writeFileSync(join(cwd, 'labels.ndjson'), `\uFEFF${lines.join('\r\n')}\n\n`);

  const text = await serin(['labels', 'send', 'labels.ndjson'], { cwd, env });
  const json = await serin(['labels', 'send', 'labels.ndjson', '--json'], { cwd, env });

  expect([text.exit, text.stdout]).toEqual([0, expect.stringContaining('sent 2300 labels')]);
  expect(JSON.parse(json.stdout)).toEqual({ labels: 2300, totals: { recorded: 2300, unknown: 3 } });
  const sent = received.slice(0, 3).map(({ body }) => JSON.parse(body).labels);
  expect(sent.map(({ length }) => length)).toEqual([1000, 1000, 300]);
  expect(sent[2].at(-1)).toEqual({ requestId: 'r2299', time, truth: 1 });
  expect(received[0]).toMatchObject({ method: 'POST', url: '/v1/labels' });
});

test('labels come from standard input and as JSON, and a dry run sends none', async () => {
  const { env, received } = await recording();

  const input = await serin(['labels', 'send', '-', '--json'], { env, input: `${label('r1')}\n${label('r2')}` });
  const one = await serin(['labels', 'send', label('r3'), '--json'], { env });
  const dry = await serin(['labels', 'send', label('r4'), '--dry-run'], { env });

  expect(JSON.parse(input.stdout)).toMatchObject({ labels: 2 });
  expect(JSON.parse(one.stdout)).toMatchObject({ labels: 1 });
  expect(dry.stdout).toContain('would send 1 labels');
  expect(received).toHaveLength(2);
});

test('what the server refuses is told by line, with what was sent before', async () => {
  const refusal = problem(422, 'the body has fields that cannot be used; correct those named in errors');
  const errors = [{ pointer: '/labels/1/loss', detail: 'too big' }];
  const { env } = await stubServer((_, index) =>
    index === 0 ? { body: { totals: {} } } : { ...refusal, body: { ...Object(refusal.body), errors } },
  );
  const input = Array.from({ length: 1500 }, (_, index) => label(`r${index}`)).join('\n');

  const { exit, stderr } = await serin(['labels', 'send', '-'], { env, input: `\n${input}` });

  expect(exit).toBe(2);
  expect(stderr).toContain('line 1003 loss  too big');
  expect(stderr).toContain('the 1000 labels before are recorded');
});

test('a server that does not count labels by model says so of a model', async () => {
  const { env } = await stubServer(() => ({ body: { model: 'line', files: [] } }));

  const found = await serin(['labels', 'get', 'line'], { env });

  expect([found.exit, found.stdout]).toEqual([0, 'labels are not counted by model on this platform\n']);
});

test('a line that is not JSON, and a file that is not there, are usage errors', async () => {
  const { env, received } = await recording();

  const bad = await serin(['labels', 'send', '-'], { env, input: `${label('r1')}\nno json` });
  const cwd = folder();
  writeFileSync(join(cwd, 'june.ndjson'), 'no json');
  const badFile = await serin(['labels', 'send', 'june.ndjson'], { env, cwd });
  const none = await serin(['labels', 'send', 'none.ndjson'], { env });

  expect([bad.exit, badFile.exit, none.exit, received]).toEqual([2, 2, 2, []]);
  expect(bad.stderr).toContain('serin: line 2 is not JSON');
  expect(badFile.stderr).toContain('serin: line 1 of june.ndjson is not JSON');
  expect(none.stderr).toContain('cannot read none.ndjson');
});

const withLabels = (config: string): string =>
  config
    .replace("guard: '10s'", "guard: '1s'")
    .replace('latency: { dryRun: true }', "latency: { dryRun: true }, labels: { maturity: '1h' }")
    .replace('serve: {', "labels: { bucket: 'outcomes', prefix: 'line/' },\n      serve: {");

const untilFiles = (cwd: string, count: number) =>
  vi.waitFor(
    async () => {
      const found = await printed(['labels', 'get', 'line'], cwd);
      expect(found.files).toHaveLength(count);
      return found;
    },
    { timeout: 40_000, interval: 100 },
  );

/** Asks the model, and says under which ids it answered what. */
async function ask(cwd: string, count: number): Promise<readonly { readonly id: string; readonly y: number }[]> {
  const answers = Array.from({ length: count }, async () => {
    const response = await predict(cwd);
    const { predictions } = (await response.json()) as { readonly predictions: readonly { readonly y: number }[] };
    return { id: response.headers.get('x-serin-request-id') ?? '', y: predictions[0]?.y ?? Number.NaN };
  });
  return Promise.all(answers);
}

test('files of labels that are dropped into a bucket folder are told once, also over a kill, and start no run', {
  timeout: 120_000,
}, async () => {
  const cwd = await starter(withLabels);
  const first = await dev(cwd);
  const bucket = (name: string, key: string) => join(cwd, '.serin', 'buckets', name, 'line', key);
  mkdirSync(bucket('outcomes', ''), { recursive: true });
  copyFileSync(join(cwd, 'sample', 'first.csv'), bucket('drops', 'first.csv'));
  await vi.waitFor(async () => expect((await printed(['models', 'get', 'line'], cwd)).champion).toBe(1), {
    timeout: 60_000,
    interval: 200,
  });
  const [direct, ...rest] = await ask(cwd, 21);
  const told = rest.map(({ id, y }) => label(id, y));

  const sent = await printed(['labels', 'send', label(direct?.id ?? '', direct?.y)], cwd);
  writeFileSync(bucket('outcomes', 'a.ndjson'), `${told.slice(0, 10).join('\n')}\nno label\n${label('nobody')}\n`);
  const dropped = await untilFiles(cwd, 1);
  first.child.kill('SIGKILL');
  await first.ended;
  // Nobody watches while this comes.
  writeFileSync(bucket('outcomes', 'b.ndjson'), told.join('\n'));
  const second = await dev(cwd);
  const found = await untilFiles(cwd, 2);
  const runs = await printed(['runs', 'list', '--model', 'line'], cwd);
  second.child.kill('SIGTERM');
  await second.ended;

  expect(sent.totals).toMatchObject({ recorded: 1 });
  expect(dropped.files).toMatchObject([
    { file: 'line/a.ndjson', recorded: 10, duplicate: 0, unknown: 1, bad: 1, reasons: ['line 11: is not JSON'] },
  ]);
  expect(found.files).toMatchObject([{ file: 'line/b.ndjson', recorded: 10, duplicate: 10 }, dropped.files[0]]);
  expect(found.totals).toMatchObject({ recorded: 21, duplicate: 10, unknown: 1 });
  expect(runs.items).toHaveLength(1);
});
