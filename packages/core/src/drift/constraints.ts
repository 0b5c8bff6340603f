import { isListed } from './categories.ts';
import { missingLimits } from './column-checks.ts';
import { kindOf, valuesOf } from './kind.ts';
import type { ColumnProfile, DatasetProfile } from './profile.ts';
import type { ColumnRule } from './report.ts';

export type Constraints = Readonly<Record<string, ColumnRule>>;

/**
 * What a dataset suggests to promise of the next ones. One row that breaks a promise refuses, so only what is likely to be
 * meant is suggested: a type, that a number is not negative, that a share is at most 1, a few categories that all came
 * often, and how many values may be missing, with room for chance.
 */
export function suggestConstraints({ rows, columns }: DatasetProfile): Constraints {
  // No prototype: a column may have any name.
  const rules: Record<string, ColumnRule> = Object.create(null);
  for (const column of columns) rules[column.name] = ruleOf(column, rows);
  return { ...rules };
}

function ruleOf(column: ColumnProfile, rows: number): ColumnRule {
  const type = typeOf(column);
  return {
    ...(type === undefined ? {} : { type }),
    missing: { atMost: mostMissing(column, rows) },
    ...rangeOf(column),
    ...valuesRule(column),
  };
}

function typeOf({ types, empty, nan, ...column }: ColumnProfile): ColumnRule['type'] | undefined {
  const values = valuesOf({ types, empty, nan, ...column });
  const is = (count: number): boolean => values > 0 && count === values;
  if (is(types.integer)) return 'integer';
  if (is(types.integer + types.decimal - nan)) return 'number';
  if (is(types.boolean)) return 'boolean';
  if (is(types.timestamp)) return 'timestamp';
  return values > 0 && types.nested === 0 ? 'text' : undefined;
}

/** What the check `missing` would warn of, and three standard errors more; a whole percent. */
function mostMissing(column: ColumnProfile, rows: number): number {
  if (rows === 0) return 1;
  const p = Math.max(0, rows - valuesOf(column)) / rows;
  const room = 3 * Math.sqrt((p * (1 - p)) / rows) + 3 / rows;
  return Math.min(1, Math.ceil(100 * (missingLimits(p).warn + room) - 1e-9) / 100);
}

function rangeOf(column: ColumnProfile): Pick<ColumnRule, 'min' | 'max'> {
  const { numbers, plusInfinity, minusInfinity } = column;
  if (numbers === undefined || numbers.min < 0 || minusInfinity > 0 || kindOf(column) === 'plain') return {};
  const isShare = numbers.max <= 1 && column.types.decimal > 0 && plusInfinity === 0;
  return isShare ? { min: 0, max: 1 } : { min: 0 };
}

const mostValues = 20;
const leastCount = 5;

function valuesRule(column: ColumnProfile): Pick<ColumnRule, 'values'> {
  const values = column.frequent.filter(([value]) => value !== '');
  const isWhole = isListed(column) && values.length <= mostValues && values.length > 0;
  if (!isWhole || kindOf(column) !== 'category' || values.some(([, count]) => count < leastCount)) return {};
  return { values: values.map(([value]) => value).sort() };
}

/** As the config says it, in a form that is YAML and TypeScript at once. */
export function constraintsText(rules: Constraints): string {
  const columns = Object.entries(rules).map(([name, rule]) => `    ${keyText(name)}: ${flow(rule)},`);
  return ['validate: {', '  columns: {', ...columns, '  },', '},', ''].join('\n');
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? quoted(value) : String(value);
  const fields = Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : [`${keyText(key)}: ${flow(inner)}`],
  );
  return `{ ${fields.join(', ')} }`;
}

const keyText = (key: string): string =>
  /^[A-Za-z][A-Za-z0-9_]*$/.test(key) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(key) ? key : quoted(key);

/** In double quotes both know the same escapes; what would move a cursor or hide is written as one. */
const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
