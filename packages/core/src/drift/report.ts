import type { ColumnKind } from './reference.ts';

/** What the validation of a dataset found, in plain JSON with every number that decided. */
export interface DataReport {
  readonly version: 1;
  readonly refused: boolean;
  /** One line: what is refused or warned of, with columns, values and limits, and how many findings more there are. */
  readonly because: string;
  readonly rows: number;
  /** What it was compared with; absent: a first dataset. */
  readonly against?: { readonly rows: number; readonly columns: number };
  /** Refusals first; at most 1,000. */
  readonly findings: readonly Finding[];
  /** How many findings are not listed. */
  readonly more: number;
  /** What was to be compared and could not, and why. */
  readonly notCompared?: readonly string[];
  /** What was compared that is not of one column, and of each column what was; also where nothing was found. */
  readonly compared: readonly string[];
  readonly columns: readonly {
    readonly name: string;
    readonly kind: ColumnKind;
    readonly compared: readonly string[];
  }[];
}

export interface Finding extends Measured {
  readonly check: string;
  readonly column?: string;
  readonly action: 'warn' | 'refuse';
}

/** A number against its limit. Shares are between 0 and 1. */
export interface Measured {
  readonly value: number;
  /** The finding is there because `value` is on the wrong side of it. */
  readonly limit: number;
  /** What the value was in the dataset that this one is compared with. */
  readonly reference?: number;
  readonly text: string;
}

/** What a check found, and what that means unless the config says otherwise; `passed`: it looked, and found nothing. */
export type Outcome = (Measured & { readonly action: 'warn' | 'refuse' }) | 'passed';

export const checkActions = ['off', 'warn', 'refuse'] as const;
export type CheckAction = (typeof checkActions)[number];

export const ruleTypes = ['boolean', 'integer', 'number', 'timestamp', 'text'] as const;

/** What somebody promises of a column: it takes the place of what the reference says, and no row may break it. */
export interface ColumnRule {
  readonly type?: (typeof ruleTypes)[number] | undefined;
  /** A share of the rows. */
  readonly missing?: { readonly atMost: number } | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly values?: readonly string[] | undefined;
}

/** The larger limit that a value is over, and what that means; the smaller one warns. */
export function graded(
  value: number,
  { warn, refuse }: { readonly warn: number; readonly refuse: number },
): { readonly action: 'warn' | 'refuse'; readonly limit: number } | undefined {
  if (value > refuse) return { action: 'refuse', limit: refuse };
  return value > warn ? { action: 'warn', limit: warn } : undefined;
}

/** A name as it is kept where there may be many of them: at most 100 characters (code points). */
export const shortName = (name: string): string =>
  name.length <= keptName ? name : [...name.slice(0, 2 * keptName)].slice(0, keptName).join('');
const keptName = 100;

/** A name or a value of the data as text: short, in one line, and in quotes. */
export function named(name: string): string {
  const short = [...name.slice(0, 2 * longestName)];
  const cut = short.length > longestName ? `${short.slice(0, longestName).join('')}…` : name;
  return /^[\p{L}\p{N} _.:/…-]*$/u.test(cut) ? `'${cut}'` : JSON.stringify(cut);
}
const longestName = 60;

/** The first few, and how many more there are. */
export function listed(texts: readonly string[], separator = ', ', most = 3): string {
  const rest = texts.length - most;
  return [...texts.slice(0, most), ...(rest > 0 ? [`${rest} more`] : [])].join(separator);
}
