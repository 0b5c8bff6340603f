import { isWholeId, listedUnder } from '@serin/core/base/ids';
import { allModels } from '@serin/core/engine/find';
import type { Journal } from '@serin/core/ports/journal';
import { Problem } from './problem.ts';
import type { Visible } from './visible.ts';

/** Each kind of id, and what its ids begin with. */
const kinds = { run: 'run', rollout: 'ro' } as const;
export type IdKind = keyof typeof kinds;

/** An id and its kind. */
export interface Named {
  readonly kind: IdKind;
  readonly id: string;
}

/** At most so many are named to somebody who has to choose. */
const mostNamed = 5;

/**
 * The one that begins so; `undefined`: none. Several are a problem that names them. `hasMore`: there are some that were
 * not looked at.
 */
export function onlyOne<Found>(
  begin: string,
  found: readonly Found[],
  nameOf: (one: Found) => string,
  hasMore = false,
): Found | undefined {
  if (found.length + (hasMore ? 1 : 0) < 2) return found[0];
  const names = found.slice(0, mostNamed).map(nameOf);
  const all = hasMore || found.length > mostNamed ? [...names, 'others'] : names;
  throw new Problem('ambiguous', `'${begin}' could be ${all.join(', ')}; say which, or give more of it`, {
    errors: names.map((detail) => ({ pointer: 'path', detail })),
  });
}

/**
 * Runs and rollouts of the caller that begin so: one page of the journal's rows for each kind, whose keys begin with the
 * complement of the id, and those of the models, whose newest run and rollout may not be listed yet.
 */
export function idsBeginning({
  journal,
  sees,
  names,
}: { readonly journal: Pick<Journal, 'names'> } & Pick<Visible, 'sees' | 'names'>) {
  return async (begin: string, of: readonly IdKind[]): Promise<Named | undefined> => {
    const whole = of.find((kind) => isWholeId(kinds[kind], begin));
    if (whole !== undefined) return { kind: whole, id: begin };
    const found = new Map<string, Named>();
    let hasMore = false;
    const add = (kind: IdKind, id: unknown) => {
      if (typeof id === 'string') found.set(id, { kind, id });
    };
    for (const kind of of) {
      const under = listedUnder(kinds[kind], begin);
      if (under === undefined) continue;
      const { items, next } = await names(`${kind}/${under}`, { limit: mostNamed + 1 });
      for (const { summary } of items) add(kind, Object(summary).id);
      hasMore ||= next !== undefined;
    }
    for (const row of await allModels(journal, pagesOfModels)) {
      if (!sees(row.model)) continue;
      for (const kind of of) {
        const id = row[kind]?.id;
        if (id?.startsWith(begin) || id?.startsWith(`${kinds[kind]}_${begin}`)) add(kind, id);
      }
    }
    return onlyOne(begin, [...found.values()], ({ id }) => id, hasMore);
  };
}

const pagesOfModels = 10;
