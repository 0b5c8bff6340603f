import type { ColumnProfile } from './profile.ts';
import type { ColumnKind } from './reference.ts';

/** Values that are there: not missing, not an empty text, not NaN. */
export const valuesOf = ({ rows, missing, empty, nan }: ColumnProfile): number => rows - missing - empty - nan;

/**
 * How a column is compared, where nobody says so: texts and booleans are categories, and so are whole numbers with few
 * values. Times, and what differs in nearly each row, are `plain`.
 */
export function kindOf(column: ColumnProfile): ColumnKind {
  const { boolean, integer, decimal, timestamp, nested } = column.types;
  const values = valuesOf(column);
  const numbers = integer + decimal - column.nan;
  if (timestamp > values / 2 || nested > values / 2) return 'plain';
  const isDistinct = values > 0 && column.distinct >= 0.95 * values && values > fewValues;
  if (numbers > values / 2) {
    const isWhole = decimal - column.nan === 0;
    if (isWhole && column.distinct <= Math.min(fewValues, 0.05 * values)) return 'category';
    return isWhole && isDistinct ? 'plain' : 'number';
  }
  return isDistinct && boolean === 0 ? 'plain' : 'category';
}

const fewValues = 20;
