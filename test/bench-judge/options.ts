/** Words that the commands of both benchmarks of decisions have, for `parseArgs`. */
export const runOptions = {
  short: { type: 'boolean', default: false },
  only: { type: 'string' },
  part: { type: 'string', default: '1' },
  within: { type: 'string' },
  into: { type: 'string' },
  keep: { type: 'string' },
  from: { type: 'string' },
  seed: { type: 'string', default: '1' },
} as const;

/** The numbers among them. `within`: minutes, infinite where it is not given. */
export function numbersIn(values: {
  readonly seed: string;
  readonly part: string;
  readonly within?: string | undefined;
}) {
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed wants a whole number, not '${values.seed}'`);
  const part = Number(values.part);
  if (!(part > 0 && part <= 1)) throw new Error(`--part wants a number above 0 and up to 1, not '${values.part}'`);
  const within = values.within === undefined ? Number.POSITIVE_INFINITY : Number(values.within);
  if (!(within > 0)) throw new Error(`--within wants minutes above 0, not '${values.within}'`);
  return { seed, part, within };
}
