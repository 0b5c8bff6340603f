import { expect, test } from 'vitest';
import { progressOn } from './progress.ts';
import { widthOf } from './width.ts';

function drawn(width = 80) {
  const lines: string[] = [];
  return { lines, progress: progressOn({ width, paint: (_, text) => text, redraw: (line) => lines.push(line) }) };
}

test('a bar grows with the bytes that were sent, and is taken away at the end', () => {
  const { lines, progress } = drawn();

  for (const done of [0, 50, 50, 100, 120]) progress.bytes(done, 100);
  progress.end();
  progress.end();

  expect(lines).toEqual([
    `${'─'.repeat(24)} 0 %`,
    `${'━'.repeat(12)}${'─'.repeat(12)} 50 %`,
    `${'━'.repeat(24)} 100 %`,
    '',
  ]);
});

test('nothing to send is done, and is no division by zero', () => {
  const { lines, progress } = drawn();

  progress.bytes(0, 0);

  expect(lines).toEqual([`${'━'.repeat(24)} 100 %`]);
});

test('what is waited for stands with how long, once a second, in one line of a narrow terminal', () => {
  const { lines, progress } = drawn(30);

  for (const ms of [90_000, 90_400, 91_000]) progress.waits('the start of a run of a-model-with-a-long-name', ms);

  expect(lines).toEqual(['1m 30s waiting for the start', '1m 31s waiting for the start']);
  expect(Math.max(...lines.map(widthOf))).toBeLessThan(30);
});

test('on a pipe nothing is drawn', () => {
  const progress = progressOn({ width: undefined, paint: (_, text) => text });

  expect(() => {
    progress.bytes(1, 2);
    progress.waits('a run', 10);
    progress.end();
  }).not.toThrow();
});
