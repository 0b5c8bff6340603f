import { describe, expect, test } from 'vitest';
import { follow, type Incident, type Seen } from './incident.ts';

const clean: Seen = { columns: [], size: 0.01 };
const silent: Seen = { ...clean, isSilent: true };
const drifts = (level: 'notice' | 'major', size: number, ...columns: readonly string[]): Seen => ({
  level,
  columns,
  size,
});
const small = drifts('notice', 0.05, 'x');

/** Follows windows of 10, each judged at its end. */
const ofVersions = (...windows: readonly (readonly [seen: Seen, version: number])[]): Incident | undefined =>
  windows.reduce<Incident | undefined>(
    (open, [seen, version], index) => follow(open, seen, { from: index * 10, at: index * 10 + 10, version }),
    undefined,
  );
const followed = (...windows: readonly Seen[]) => ofVersions(...windows.map((seen) => [seen, 1] as const));

describe('an incident', () => {
  test('opens with the first window that changed, and none without one', () => {
    expect(followed(clean, silent)).toBeUndefined();
    expect(followed(clean, drifts('notice', 0.05, 'y'))).toEqual({
      ...{ level: 'notice', since: 10, at: 20, newsAt: 20, version: 1 },
      ...{ columns: ['y'], size: 0.05, clean: 0 },
    });
  });

  test('keeps all that changed in its order, the largest size and the worst level', () => {
    const open = followed(small, drifts('major', 0.2, 'y', 'x'), drifts('notice', 0.06, 'x'));

    expect(open).toMatchObject({ level: 'major', since: 0, at: 10, columns: ['x', 'y'], size: 0.2 });
  });

  test('names at most twenty', () => {
    const names = Array.from({ length: 15 }, (_, index) => `c${index}`);
    const more = names.map((name) => `${name}b`);

    expect(followed(drifts('notice', 0.1, ...names), drifts('notice', 0.1, ...more))?.columns).toEqual(
      [...names, ...more].slice(0, 20),
    );
  });

  test('is news when it opens, when it has grown, and when another version has it', () => {
    const major = drifts('major', 0.2, 'x');

    expect(followed(small, small)?.newsAt).toBe(10);
    expect(followed(small, small, major)?.newsAt).toBe(30);
    expect(followed(small, major, small, major)?.newsAt).toBe(20);
    expect(ofVersions([small, 1], [clean, 2])).toMatchObject({ newsAt: 10, version: 1, clean: 1 });
    expect(ofVersions([small, 1], [clean, 2], [small, 2])).toMatchObject({ newsAt: 30, version: 2, since: 0 });
  });

  test('ends after three clean windows in a row', () => {
    expect(followed(small, clean, clean)?.clean).toBe(2);
    expect(followed(small, clean, clean, small)?.clean).toBe(0);
    expect(followed(small, clean, clean, small, clean, clean)?.clean).toBe(2);
    expect(followed(small, clean, clean, clean)).toBeUndefined();
  });

  test('does not count a window that says nothing of what changed', () => {
    expect(followed(small, clean, silent, clean)?.clean).toBe(2);
    expect(followed(small, clean, silent, clean, clean)).toBeUndefined();
  });
});
