import { expect, test } from 'vitest';
import { waitFor } from './wait.ts';

test('a wait is drawn in one line, which is gone before anything else is said', async () => {
  const drawn: string[] = [];
  const terminal = {
    ...{ json: false, interactive: true, width: 80 },
    out: () => undefined,
    say: (text: string) => drawn.push(text),
    paint: (_: string, text: string) => text,
    confirm: async () => false,
    redraw: (line: string) => drawn.push(line),
  };
  const around = { args: [], options: {}, env: {}, cwd: '/', signal: new AbortController().signal, terminal };
  let looks = 0;

  await waitFor(around, 'run run_1', async () => {
    looks += 1;
    terminal.say(`look ${looks}`);
    return looks === 2 ? true : undefined;
  });

  expect(drawn).toEqual(['look 1', '0ms waiting for run run_1', '', 'look 2']);
});
