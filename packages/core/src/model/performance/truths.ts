import { addOutcomes, classMeasures, errorMeasures, noOutcomes, type Outcomes } from '../../drift/outcomes.ts';
import type { Performance } from './performance.ts';

/** What truths say of a class or of numbers, or what lacks before they do. */
export const truthMeasures = (outcomes: Outcomes) => classMeasures(outcomes) ?? errorMeasures(outcomes);

/**
 * The truths of as few of the last windows of the champion as say something, together, so that a class which is rare is said
 * as well; of all of them, where too few truths came. `undefined`: none came.
 */
export function lastTruths({ windows, version }: Pick<Performance, 'windows' | 'version'>) {
  let outcomes: Outcomes = noOutcomes;
  for (let count = 1; count <= windows.length; count += 1) {
    const window = windows.at(-count);
    if (window?.version !== version) break;
    outcomes = addOutcomes(outcomes, window);
    const measures = truthMeasures(outcomes);
    const isLast = windows.at(-count - 1)?.version !== version;
    if (measures !== undefined && (isLast || !('lacks' in measures))) return { windows: count, outcomes, measures };
  }
  return undefined;
}
