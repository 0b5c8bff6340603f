import { afterEach, expect, test, vi } from 'vitest';
import { predict } from './predict.ts';

afterEach(() => vi.unstubAllGlobals());

test('an answer cannot move the cursor of a terminal, and is laid out to be read', async () => {
  let text = '';
  const terminal = {
    ...{ json: false, interactive: false, width: 80 },
    out: (more: string) => {
      text += more;
    },
    say: () => undefined,
    paint: (_: string, painted: string) => painted,
    confirm: async () => false,
  };
  const env = { SERIN_URL: 'http://127.0.0.1:1' };
  const around = {
    args: ['fraud'],
    options: { data: '{}' },
    env,
    cwd: '/',
    signal: new AbortController().signal,
    terminal,
  };
  const answers = ['gone\u001b[2J', '{"a":[1]}'];
  vi.stubGlobal('fetch', async () => new Response(answers.shift()));

  await predict(around);
  await predict(around);

  expect(text).toBe('gone\ufffd[2J\n{\n  "a": [\n    1\n  ]\n}\n');
});
