import type { Config } from '@serin/core/config/config';
import type { CapturedRow } from '@serin/core/ports/captured';
import { rowsAsked } from '../simulation/fakes/captured.ts';
import { random } from '../simulation/random.ts';
import { askedUntil, judgedDaily, trainingRows } from './drifting.ts';
import { compiled, openWorld, start } from './world.ts';

const day = 86_400_000;
const never = start + 999 * day;

/** Rules of a model that is judged each day, and whose answers are its label and two probabilities. */
export const estimatedDaily: Partial<Config['models'][string]> = {
  ...judgedDaily,
  monitor: { ...judgedDaily.monitor, estimate: { probability: '/probabilities/1' } },
};

/** How probable it is that a row is positive. */
const chanceOf = (row: CapturedRow): number => Number(Object(row).amount) / 140;
/** What a model says of it. */
type Said = (chance: number) => number;
export const asTheyAre: Said = (chance) => chance;
export const tooSure: Said = (chance) => chance ** 3 / (chance ** 3 + (1 - chance) ** 3);

/** Who asks a model for chances, whose amounts are higher from a time on. */
export const askedForChances =
  (said: Said, turnsAt = never) =>
  () => ({
    ...askedUntil(turnsAt)(),
    answer: (row: CapturedRow) => {
      const chance = said(chanceOf(row));
      return { label: chance >= 0.5 ? 'yes' : 'no', probabilities: [1 - chance, chance] };
    },
  });

/** What comes of rows, each by its own chance, beside what was said of them: what labels would tell, if they came. */
export function truthOf(rows: readonly CapturedRow[], said: Said, seed: number) {
  const dice = random(seed);
  const seen = rows.map((row) => {
    const chance = chanceOf(row);
    return { probability: said(chance), isPositive: dice.between(0, 999_999) < 1_000_000 * chance };
  });
  const predicted = seen.filter(({ probability }) => probability >= 0.5);
  const positive = seen.filter(({ isPositive }) => isPositive);
  const found = predicted.filter(({ isPositive }) => isPositive);
  const right = seen.filter(({ probability, isPositive }) => probability >= 0.5 === isPositive);
  const tenths = Map.groupBy(seen, ({ probability }) => Math.min(9, Math.floor(10 * probability)));
  const missed = [...tenths.values()].map((tenth) =>
    Math.abs(tenth.reduce((sum, { probability, isPositive }) => sum + probability - (isPositive ? 1 : 0), 0)),
  );
  return {
    rows: seen.length,
    accuracy: { share: right.length / seen.length, of: seen.length },
    precision: { share: found.length / predicted.length, of: predicted.length },
    recall: { share: found.length / positive.length, of: positive.length },
    calibrationError: missed.reduce((sum, each) => sum + each, 0) / seen.length,
  };
}

/** What an evaluate job finds on a hold-out of rows like those of the first days. */
export const measuredOf = (said: Said) => truthOf(rowsAsked(askedForChances(said)(), start - 10 * day, start), said, 1);

/** A model that serves and says chances, and whose evaluate job has measured how calibrated they are. */
export async function estimatedWorld({
  said = asTheyAre,
  turnsAt = never,
  open = openWorld,
}: {
  readonly said?: Said;
  readonly turnsAt?: number;
  readonly open?: (given: Parameters<typeof openWorld>[0]) => ReturnType<typeof openWorld>;
} = {}) {
  const { rows, calibrationError } = measuredOf(said);
  const world = await open({
    measured: { calibration_error: calibrationError, holdout_rows: rows },
    traffic: { asking: askedForChances(said, turnsAt) },
  });
  await world.release(compiled(estimatedDaily));
  await world.drop('fraud/a.csv', trainingRows, day / 2);
  const drift = async () => (await world.call('GET', '/v1/models/fraud/drift')).body;
  return { world, drift };
}
