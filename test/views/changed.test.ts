import { canonical, sha256Hex } from '@serin/core/base/json';
import { verifyRollout } from '@serin/core/model/rollout/verify';
import type { Entry } from '@serin/core/ports/journal';
import { expect, test } from 'vitest';
import { crowds, type JudgedBy } from '../simulation/crowds.ts';
import { random } from '../simulation/random.ts';
import { judged } from './judged.ts';
import { idsOf } from './life.ts';

type Path = readonly (string | number)[];
interface Leaf {
  readonly path: Path;
  readonly value: number;
}
const kinds = Object.keys(crowds) as readonly JudgedBy[];

async function journalOf(by: JudgedBy): Promise<{ readonly entries: readonly Entry[]; readonly id: string }> {
  const world = await judged(by, 'bad');
  const id = (await idsOf(world, 'rollouts')).at(-1) ?? '';
  return { entries: world.journal.entries('model/fraud'), id };
}

/** Whoever changes a journal may chain it anew. */
function chained(entries: readonly Entry[]): readonly Entry[] {
  let previousHash = '';
  return entries.map(({ hash: _, ...entry }) => {
    const body = { ...entry, previousHash };
    previousHash = sha256Hex(canonical(body));
    return { ...body, hash: previousHash };
  });
}

function leavesOf(value: unknown, path: Path): readonly Leaf[] {
  if (typeof value === 'number') return [{ path, value }];
  if (typeof value !== 'object' || value === null) return [];
  const at = (key: string): string | number => (Array.isArray(value) ? Number(key) : key);
  return Object.entries(value).flatMap(([key, part]) => leavesOf(part, [...path, at(key)]));
}

function withValue(of: unknown, [key, ...path]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(of)) return of.map((part, index) => (index === key ? withValue(part, path, value) : part));
  const record = of as Readonly<Record<string, unknown>>;
  return { ...record, [key]: withValue(record[key], path, value) };
}

/** Names and numbers of a path stand for all of their kind. */
const shapeOf = (path: Path): string => path.map((key) => (/^(\d+|v\d+)$/.test(String(key)) ? '#' : key)).join('.');

/** One leaf of each shape: what readings brought, and what came of them. */
function shapesIn(entries: readonly Entry[], id: string): ReadonlyMap<string, Leaf> {
  const found = new Map<string, Leaf>();
  for (const [index, { signal, patch }] of entries.entries()) {
    const { type, key, ticks } = signal as { readonly type?: string; readonly key?: string; readonly ticks?: unknown };
    if (!/^(ticks|labels)Read$/.test(type ?? '') || key?.startsWith(`rollout/${id}/`) !== true) continue;
    const { rollout = {} } = patch as { readonly rollout?: Readonly<Record<string, unknown>> };
    const { story: _, ...moved } = rollout;
    const own = [...leavesOf(ticks, [index, 'signal', 'ticks']), ...leavesOf(moved, [index, 'patch', 'rollout'])];
    for (const leaf of own) found.set(`${type} ${shapeOf(leaf.path.slice(1))}`, leaf);
  }
  return found;
}

/**
 * Where a number changes nothing that is counted: an equal prediction, the latest start of a tick, requests beside
 * losses.
 */
const idle = /predictions\.equal|ticks\.#\.start|pairs\.#\.(pairs|dropped)|rows\.#\.weight/;

/** A chance that is as good as none is another one only if it is some. */
const changedFrom = (value: number): number => {
  if (Number.isInteger(value)) return value === 0 ? 1 : value - 1;
  return Math.abs(value) < 1e-6 ? value + 0.001 : value * 1.001;
};

test.each(kinds)(
  'one changed number of a rollout that is judged by its %s is found, also in a new chain',
  async (by) => {
    const { entries, id } = await journalOf(by);
    const shapes = [...shapesIn(entries, id)].filter(([shape]) => !idle.test(shape));
    const dice = random(kinds.indexOf(by));
    const chosen = Array.from({ length: 12 }, () => shapes[dice.between(0, shapes.length - 1)]);

    const missed = chosen.flatMap((one) => {
      if (one === undefined) return [];
      const [shape, { path, value }] = one;
      const other = changedFrom(value);
      const changed = chained(withValue(entries, path, other) as readonly Entry[]);
      return verifyRollout(changed, id).verified ? [`${shape}: ${value}`] : [];
    });

    expect(shapes.length).toBeGreaterThan(20);
    expect(verifyRollout(chained(entries), id).problems).toEqual([]);
    expect(missed).toEqual([]);
  },
);

test('losses that change places are found', async () => {
  const { entries, id } = await journalOf('losses');
  const turned = entries.map((entry) => {
    const signal = entry.signal as {
      readonly type?: string;
      readonly ticks?: readonly { readonly losses?: unknown[] }[];
    };
    if (signal.type !== 'labelsRead') return entry;
    const ticks = signal.ticks?.map((tick) => ({ ...tick, losses: tick.losses?.toReversed() }));
    return { ...entry, signal: { ...signal, ticks } } as unknown as Entry;
  });

  const { problems } = verifyRollout(chained(turned), id);

  expect(problems.join('\n')).toMatch(/evidence\.labels\.harm\.logK is recorded as/);
});

test('a weight that was confirmed, and was not the one that was seen, is found', async () => {
  const { entries, id } = await journalOf('users');
  const seen = entries.findIndex(({ signal, patch }) => {
    const { rollout } = patch as { readonly rollout?: { readonly status?: string } };
    return rollout?.status === 'baking' && (signal as { readonly type?: string }).type === 'endpointObserved';
  });

  const other = withValue(entries, [seen, 'signal', 'observation', 'weights', 'v2'], 9) as readonly Entry[];

  const { problems } = verifyRollout(chained(other), id);
  expect(problems).toEqual([`entry ${seen + 1}: weight is recorded as 10, recomputed as 9`]);
});

test('a rollout that would have begun at another time is found', async () => {
  const { entries, id } = await journalOf('pairs');
  const begun = entries.findIndex(({ patch }) => (patch as { readonly rollout?: { id?: string } }).rollout?.id === id);
  const { at } = entries[begun] ?? { at: 0 };

  const other = withValue(entries, [begun, 'patch', 'rollout', 'startedAt'], at + 1) as readonly Entry[];

  const { problems } = verifyRollout(chained(other), id);
  expect(problems[0]).toBe(`entry ${begun + 1}: rollout.startedAt is recorded as ${at + 1}, recomputed as ${at}`);
});
