import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { folder, serin, stubServer } from './command.ts';
import { dev, predict, printed, starter } from './starter.ts';

/** Waits for the first version's rollout, whose guard reads ticks, and asks the model while it is guarded. */
async function firstRollout(cwd: string): Promise<string> {
  copyFileSync(join(cwd, 'sample', 'first.csv'), join(cwd, '.serin', 'buckets', 'drops', 'line', 'first.csv'));
  return vi.waitFor(
    async () => {
      await (await predict(cwd)).text();
      const [rollout] = (await printed(['rollouts', 'list'], cwd)).items;
      expect(rollout?.status).toBe('promoted');
      return String(rollout.id);
    },
    { timeout: 60_000, interval: 100 },
  );
}

test('a rollout is verified by the server and from an export, and a changed line of it is found', {
  timeout: 120_000,
}, async () => {
  const cwd = await starter((config) => config.replace(/guard: '\d+s'/, "guard: '5s'"));
  await dev(cwd);
  const id = await firstRollout(cwd);

  const served = await serin(['rollouts', 'verify', id], { cwd });
  const exported = await serin(['audit', 'export', 'model/line'], { cwd });
  const lines = exported.stdout.trimEnd().split('\n');
  writeFileSync(join(cwd, 'whole.ndjson'), exported.stdout);
  const at = lines.findIndex((line) => /"type":"ticksRead".*"requests":[1-9]/.test(line));
  const counted = lines.map((line, index) =>
    index === at ? line.replace(/"requests":\d+/, '"requests":99999') : line,
  );
  writeFileSync(join(cwd, 'changed.ndjson'), counted.join('\n'));
  writeFileSync(join(cwd, 'cut.ndjson'), lines.slice(0, at).join('\n'));
  const file = (name: string) => serin(['rollouts', 'verify', id, '--file', name], { cwd, env: { SERIN_URL: 'x:' } });
  const whole = await file('whole.ndjson');
  const short = await serin(['rollouts', 'verify', id.slice(3, 20), '--file', 'whole.ndjson'], { cwd });
  const changed = await file('changed.ndjson');
  const cut = await file('cut.ndjson');
  const unknown = await serin(['rollouts', 'verify', 'ro_none', '--file', 'whole.ndjson', '--json'], { cwd });

  expect(at).toBeGreaterThan(0);
  expect([served.exit, whole.exit, changed.exit, unknown.exit]).toEqual([0, 0, 1, 1]);
  expect(served.stdout).toMatch(/verified {2}ro_\S+: \d+ readings judged again/);
  expect(whole.stdout).toBe(served.stdout);
  expect(short.stdout).toBe(whole.stdout);
  expect(served.stdout).toMatch(
    /Promoted without a test: .*\n {2}evidence of harm [^;]+; taken back at 100 to 1; rule serin-judge\/\d/,
  );
  expect(changed.stdout).toMatch(/differs/);
  expect(changed.stdout).toMatch(new RegExp(`entry ${at + 1} was changed after it was written`));
  expect(changed.stdout).toMatch(/evidence\.candidate\.requests is recorded as \d+, recomputed as \d+/);
  expect([cut.exit, cut.stdout]).toEqual([0, expect.stringContaining('it is guarding and has not ended')]);
  expect(JSON.parse(unknown.stdout)).toMatchObject({ verified: false, readings: 0 });
});

const certificate = {
  ...{ rule: 'serin-judge/1', sentence: 'Rolled back: it was.', alpha: 0.01, beta: 0.05, logE: 9, ticks: 4 },
  guardrails: [
    {
      name: 'errors',
      blame: 'certified',
      streams: [{ id: 'errors', cells: {}, pairs: [24, 2], logE: 0, ratio: { low: 0 } }],
    },
  ],
  conditions: [],
};

test('a verification of the server that differs is exit code 1, with its problems harmless for a terminal', async () => {
  const { env, received } = await stubServer(() => ({
    body: { verified: false, problems: ['entry 3: \u001b[31mevidence'], readings: 2, recorded: certificate },
  }));

  const { exit, stdout } = await serin(['rollouts', 'verify', 'ro/1'], { env });

  expect(exit).toBe(1);
  expect(stdout).toContain('entry 3:');
  expect(stdout).toContain(
    'errors: no counts; mirrored, only one bad: the candidate 24, the champion 2; evidence of harm 1 to 1; to blame',
  );
  expect(stdout).not.toContain('\u001b');
  expect(received[0]?.url).toBe('/v1/rollouts/ro%2F1/verification');
});

test('a file that is not there, is not JSON, or is no export is said so', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'text.ndjson'), '{"seq":1}\nnot json\n');
  writeFileSync(join(cwd, 'other.ndjson'), '{"label":1}\n');

  const [none, text, other] = await Promise.all(
    ['none.ndjson', 'text.ndjson', 'other.ndjson'].map((file) =>
      serin(['rollouts', 'verify', 'ro_1', '--file', file], { cwd }),
    ),
  );

  expect([none?.exit, none?.stderr]).toEqual([2, expect.stringContaining('cannot read none.ndjson')]);
  expect([text?.exit, text?.stderr]).toEqual([2, expect.stringContaining('line 2 of text.ndjson is not JSON')]);
  expect([other?.exit, other?.stdout]).toEqual([1, expect.stringContaining('number 1 of these is no entry')]);
});

/** The starter's programs under a rollout of one's own. */
const configured = (rollout: string, serve = '') =>
  starter(
    () => `import { defineConfig } from 'serin';
      export default defineConfig({ project: 'first', models: { line: {
        data: { bucket: 'drops', prefix: 'line/' },
        split: { holdout: { by: 'rows', share: '20%' } },
        train: { code: './src', command: ['node', 'train.mjs'] },
        evaluate: { command: ['node', 'evaluate.mjs'] },
        gate: { rmse: { direction: 'down', atMost: 1.5 } },
        serve: { command: ['node', 'serve.mjs'] ${serve} },
        rollout: { ${rollout} },
      } } });`,
  );

test('validate says when a healthy candidate is certified, what a bake finds, and warns when that is too late', async () => {
  const busy = await configured('expected: { rpm: 6000 }');
  const quiet = await configured('expected: { rpm: 6 }, harmBudget: 1');

  const fine = await serin(['validate'], { cwd: busy });
  const warned = await serin(['validate', '--json'], { cwd: quiet });

  expect([fine.exit, fine.stderr]).toEqual([0, '']);
  expect(fine.stdout).toMatch(
    /line: 6000 requests a minute: a healthy candidate is certified \S+ after its first step began, \S+ of them in the last/,
  );
  expect(fine.stdout).toMatch(/until then it finds errors/);
  expect(warned.exit).toBe(0);
  const { warnings, forecasts, proposals } = JSON.parse(warned.stdout);
  expect(proposals.line.write).toMatch(/^atMost: '\S+', guardrails: \{ errors: \{ margin: \d, floor: [\d.]+ \}/);
  expect(forecasts.line).toMatch(/^6 requests a minute: /);
  expect(warnings).toEqual([
    expect.stringMatching(/^models\.line\.rollout: with 6 requests a minute atMost \(\S+\) is too short/),
    expect.stringMatching(/^models\.line\.rollout: a harmBudget below \d+ slows down a healthy candidate/),
  ]);
  expect(warned.stderr).toContain('is too short');
});

test('validate refuses labels that cannot be judged, and says why', async () => {
  const cwd = await configured('guardrails: { labels: {} }', ", stickyBy: 'x-user'");

  const { exit, stderr } = await serin(['validate'], { cwd });

  expect(exit).toBe(2);
  expect(stderr).toMatch(/models\.line\.rollout\.guardrails\.labels.* a user stays with one model/s);
});
