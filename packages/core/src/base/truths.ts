/** What labels that are truths say beyond right and wrong: of one class, or of numbers. */

/** How a truth is compared with a prediction. Without a rule: as text, which is right or wrong. */
export type TruthRule =
  /** As text; this one is the positive class, and each other text is not. */
  | { readonly positive: string }
  /** As numbers: an error of so much, in units of the prediction, or more is a loss of 1, and a smaller one a part of it. */
  | { readonly scale: number };

/** Truths by whether they are the positive class, and whether it was predicted. */
export interface Classes {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** Truths that are numbers: sums over |prediction - truth|, its square and its fourth power. */
export interface Errors {
  /** Whose errors are in the sums. */
  readonly numbers: number;
  /** Whose errors are in no sum, as nobody knows them: `errorOf` says when. */
  readonly unknown: number;
  readonly absolute: number;
  readonly squares: number;
  readonly fourths: number;
}

/** A greater one is in no sum: so the fourth powers of all that anybody counts are a finite number. */
export const largestError = 1e60;

const noClasses: Classes = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
const noErrors: Errors = { numbers: 0, unknown: 0, absolute: 0, squares: 0, fourths: 0 };

/** The sums of two parts are those of both; `undefined`: a part that has none. */
export const addClasses = (one: Classes | undefined, other: Classes | undefined): Classes | undefined =>
  added(one, other);
export const addErrors = (one: Errors | undefined, other: Errors | undefined): Errors | undefined => added(one, other);

function added<Sums extends Classes | Errors>(one: Sums | undefined, other: Sums | undefined): Sums | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const sums = Object.entries(one).map(([name, sum]) => [name, sum + other[name as keyof Sums]]);
  // The same fields as before.
  return Object.fromEntries(sums) as Sums;
}

/** One more truth. An answer that nobody could read predicted nothing: of a positive truth it is a false negative. */
export function withClass(sums: Classes | undefined, predicted: boolean, truth: boolean): Classes {
  const field = `${predicted === truth ? 'true' : 'false'}${predicted ? 'Positives' : 'Negatives'}` as const;
  const known = sums ?? noClasses;
  return { ...known, [field]: known[field] + 1 };
}

/** One more truth, with its error where that is known. */
export function withError(sums: Errors | undefined, error: number | undefined): Errors {
  const known = sums ?? noErrors;
  if (error === undefined) return { ...known, unknown: known.unknown + 1 };
  const square = error * error;
  return {
    ...known,
    numbers: known.numbers + 1,
    absolute: known.absolute + Math.abs(error),
    squares: known.squares + square,
    fourths: known.fourths + square * square,
  };
}

/** Prediction less truth; `undefined`: one of them is no finite number, or they are too far apart to be added up. */
export function errorOf(prediction: string, truth: string): number | undefined {
  const error = numberIn(prediction) - numberIn(truth);
  return Math.abs(error) <= largestError ? error : undefined;
}

/** A decimal number. JavaScript takes an empty text for 0, and reads `0x10`, which is rather an id. */
const numberIn = (text: string): number => (/^\s*$|^\s*0[box]/i.test(text) ? Number.NaN : Number(text));

/** In [0, 1]. What nobody knows is the worst. */
export const lossOfError = (error: number | undefined, scale: number): number =>
  error === undefined ? 1 : Math.min(1, Math.abs(error) / scale);
