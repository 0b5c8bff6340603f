import { Fault } from '../base/fault.ts';
import { errors } from '../base/measures.ts';
import { instant } from '../base/time.ts';
import type { Counts, LabelTick, Tick } from '../ports/telemetry.ts';

/** Checks what a provider said before it is counted. */

export const named = (tick: Tick): string => `the tick of ${instant(tick.start)}`;

/** What is no finite number is `null` once it was recorded, and a refusal reads the same then. */
const told = (value: number): string => (Number.isFinite(value) ? `${value}` : 'no number');

/**
 * Throws on counts that are impossible. Answers one number that differs, almost always, between two readings of a tick.
 *
 * `measures` are those that are judged, in their order. Nothing else in the tick is counted.
 */
export function checkTick(tick: Tick, measures: readonly string[]): number {
  if (!Number.isSafeInteger(tick.start))
    throw new Fault(
      'invalid',
      `a tick starts at ${told(tick.start)}, which is not a whole number; correct the source of the counts`,
    );
  let mark = 0x811c9dc5;
  // Hardly any tick is refused, so texts are made only then.
  const count = (what: string, where: string, value: number, most: number) => {
    if (!Number.isSafeInteger(value) || value < 0 || value > most)
      throw new Fault(
        'invalid',
        `${named(tick)}: ${what} ${where} is ${told(value)}, not a whole number from 0 to ${most}; correct the source of the counts`,
      );
    mark = Math.imul(mark ^ (value | 0), 0x01000193);
  };
  const counts = (where: string, { requests, bad }: Counts) => {
    if (bad[errors] === undefined)
      throw new Fault(
        'invalid',
        `${named(tick)}: the errors of ${where} are not counted; correct the source of the counts`,
      );
    count('requests of', where, requests, Number.MAX_SAFE_INTEGER);
    for (const measure of measures) {
      const value = bad[measure];
      if (value !== undefined) count(measure === errors ? 'errors of' : `'${measure}' of`, where, value, requests);
    }
  };
  for (const name in tick.counts) {
    const found = tick.counts[name];
    if (found !== undefined) counts(name, found);
  }
  for (const [segment, found] of Object.entries(tick.segments ?? {}))
    for (const [name, part] of Object.entries(found)) counts(`${name} in ${segment}`, part);
  for (const [name, { assigned, bad }] of Object.entries(tick.users ?? {})) {
    count('users of', name, assigned, Number.MAX_SAFE_INTEGER);
    for (const measure of measures) {
      const first = bad[measure];
      if (first === undefined) continue;
      count('users at risk of', name, first.atRisk, Number.MAX_SAFE_INTEGER);
      count('users with a bad request of', name, first.bad, first.atRisk);
    }
  }
  for (const [name, { pairs, dropped, bad, predictions }] of Object.entries(tick.pairs ?? {})) {
    count('pairs of', name, pairs, Number.MAX_SAFE_INTEGER);
    count('dropped copies of', name, dropped, Number.MAX_SAFE_INTEGER);
    for (const measure of measures) {
      const apart = bad[measure];
      if (apart === undefined) continue;
      count('pairs with a bad answer of nobody but', name, apart.mirror, pairs);
      count('pairs with a good answer of nobody but', name, apart.served, pairs - apart.mirror);
    }
    const { higher, lower, equal } = predictions;
    for (const part of [higher, lower, equal]) count('pairs of predictions of', name, part, pairs);
  }
  return mark;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isSum = (value: number): boolean => Number.isFinite(value) && value >= 0;

/** Whether truths can be among the labels of their row. Of more than two classes a wrong one may be a true negative. */
function fitClasses({ labelled, wrong, classes }: LabelTick['rows'][number]): boolean {
  if (classes === undefined) return true;
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = classes;
  return (
    Object.values(classes).every(isCount) &&
    falsePositives + falseNegatives <= wrong &&
    truePositives <= labelled - wrong &&
    truePositives + falsePositives + falseNegatives + trueNegatives <= labelled
  );
}

function fitErrors({ requests, labelled, errors }: LabelTick['rows'][number]): boolean {
  if (errors === undefined) return true;
  const { numbers, unknown, ...sums } = errors;
  const counts = [numbers, unknown].every(isCount) && numbers + unknown <= requests - labelled;
  return counts && Object.values(sums).every(isSum);
}

export function checkLabels({ start, rows, losses, pairs }: LabelTick): void {
  const refuse = (what: string): never => {
    throw new Fault('invalid', `labels of ${instant(start)}: ${what}; correct the source of the labels`);
  };
  for (const { deployment, weight } of [...rows, ...losses])
    if (weight !== undefined && !(weight >= 0 && weight <= 100))
      refuse(`the weight of ${deployment} is ${told(weight)} %, not 0 to 100`);
  for (const [mirror, pair] of Object.entries(pairs))
    for (const count of [pair.mirror, pair.served])
      if (!Number.isSafeInteger(count) || count < 0)
        refuse(`the pairs with one wrong answer of ${mirror} are ${told(count)}, not a whole number`);
  for (const { deployment, requests, labelled, wrong } of rows)
    if (
      ![requests, labelled, wrong].every(Number.isSafeInteger) ||
      wrong < 0 ||
      labelled < wrong ||
      requests < labelled
    )
      refuse(
        `${deployment} has ${told(wrong)} wrong answers, ${told(labelled)} labels and ${told(requests)} requests, which do not fit together`,
      );
  for (const row of rows)
    if (!fitClasses(row) || !fitErrors(row))
      refuse(`the truths of ${row.deployment} do not fit to its labels: ${JSON.stringify(row)}`);
  const odd = losses.find(({ loss }) => !(loss >= 0 && loss <= 1));
  if (odd !== undefined) refuse(`a loss of ${odd.deployment} is ${told(odd.loss)}, not in [0, 1]`);
}
