import type { ColumnProfile } from './profile.ts';
import type { ColumnKind } from './reference.ts';

/** Values that are there: not missing, not an empty text, not NaN. */
export const valuesOf = ({ rows, missing, empty, nan }: ColumnProfile): number => rows - missing - empty - nan;

/**
 * How a column is compared, where nobody says so: texts and booleans are categories, and so are whole numbers with few
 * values. Times, identifiers, text that differs in nearly each row, and a column without a value are `plain`.
 */
export function kindOf(column: ColumnProfile): ColumnKind {
  const { boolean, integer, decimal, timestamp, nested } = column.types;
  const values = valuesOf(column);
  const numbers = integer + decimal - column.nan;
  if (values <= 0 || timestamp > values / 2 || nested > values / 2) return 'plain';
  const isDistinct = column.distinct >= 0.95 * values && values > fewValues;
  if (numbers > values / 2) {
    const isWhole = decimal - column.nan === 0;
    if (isWhole && column.distinct <= Math.min(fewValues, 0.05 * values)) return 'category';
    return isWhole && isDistinct && isNumbered(column, values) ? 'plain' : 'number';
  }
  return isDistinct && boolean === 0 ? 'plain' : 'category';
}

/**
 * Whole numbers that hardly repeat name rows, where they were counted up or are too long to be a measure. Of numbers
 * drawn at random from a range of 8 per row only 8 (1 - exp(-1/8)) = 94 % are distinct: who has more was counted up.
 */
const isNumbered = ({ numbers }: ColumnProfile, values: number): boolean =>
  numbers !== undefined && (numbers.max - numbers.min < 8 * values || numbers.max >= 2 ** 40);

const fewValues = 20;
