import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../imports.ts';

const css = ['base.css', 'plots.css']
  .map((name) => readFileSync(join(root, 'packages/page/browser', name), 'utf8'))
  .join('\n');

/** Tokens of both schemes: the dark ones replace those of the same name. */
function tokens(scheme: 'light' | 'dark'): Readonly<Record<string, string>> {
  const parts = css.split('@media (prefers-color-scheme: dark)');
  const light = css.replace(/@media \(prefers-color-scheme: dark\) \{[\s\S]*?\n\}/g, '');
  const dark = parts.slice(1).map((part) => part.slice(0, part.indexOf('\n}')));
  const text = scheme === 'light' ? light : [light, ...dark].join('\n');
  return Object.fromEntries(
    [...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{3,6});/g)].map(([, name, value]) => [name, value]),
  );
}

function luminance(colour: string): number {
  const digits =
    colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit) : colour.slice(1).match(/../g);
  const [r = 0, g = 0, b = 0] = (digits ?? []).map((pair) => {
    const share = Number.parseInt(pair, 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const lines = ['champion', 'candidate', 'good', 'bad', 'warn', 'quiet', 'accent', 'c0', 'c1', 'c2', 'c3', 'c4', 'c5'];
const labels = ['good', 'bad', 'warn', 'quiet', 'ink'];

test.each(['light', 'dark'] as const)('lines of plots are seen, and their labels read, on %s paper', (scheme) => {
  const all = tokens(scheme);
  const on = (name: string) => contrast(all[name] ?? '', all.paper ?? '');

  for (const name of lines) expect([name, on(name) >= 3]).toEqual([name, true]);
  for (const name of labels) expect([name, on(name) >= 4.5]).toEqual([name, true]);
});
