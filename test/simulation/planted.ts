import type { Ports } from '@serin/core/ports/ports';
import type { Serving } from '@serin/core/ports/serving';
import type { Shape } from './fakes/shapes.ts';
import type { Bugs } from './universe.ts';

/** A bug that is planted on purpose: as a switch of the platform, or as a change of a text in one file of core or platform. */
export interface PlantedBug {
  readonly name: string;
  readonly bugs?: Bugs;
  /** Where it can show at all; absent: anywhere. */
  readonly scenario?: string;
  /** A seed that found it when it was looked for last: tried before all others, where they take long. */
  readonly seed?: number;
  /** The cloud on which it shows, and on no machine. */
  readonly shape?: Shape['name'];
  readonly change?: Change;
}

export interface Change {
  /** Below `packages`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The ports with some methods of one of them replaced. */
export const replaced = <Name extends 'journal' | 'jobs'>(
  ports: Ports,
  name: Name,
  methods: Partial<Ports[Name]>,
): Ports => ({ ...ports, [name]: { ...ports[name], ...methods } });

export const replacedServing = (ports: Ports, methods: Partial<Serving>): Ports => ({
  ...ports,
  serving: (kind) => ({ ...ports.serving(kind), ...methods }),
});

const changedIn =
  (folder: string) =>
  (name: string, file: string, from: string, to: string, scenario?: string, seed?: number): PlantedBug => ({
    name,
    change: { file: `${folder}/${file}`, from, to },
    ...(scenario === undefined ? {} : { scenario }),
    ...(seed === undefined ? {} : { seed }),
  });

/** All seeds up to the most, and before them one that is likely to find something. */
export function* seedsFrom(likely: number | undefined, most: number): Generator<number> {
  if (likely !== undefined) yield likely;
  for (let seed = 1; seed <= most; seed += 1) yield seed;
}

export const core = changedIn('core/src');
export const platform = changedIn('platform/src');

/** The text of a file with a bug in it; unchanged where the bug has no place any more. */
export const plantedIn = (source: string, { from, to }: Change): string => source.replaceAll(from, () => to);
