import { type Claim, type Estimate, medianOf, shareWithin } from '../bench-judge/claims.ts';
import { effectName } from './effects.ts';
import { type Results, tallyOf, yearly } from './figures.ts';
import { bySize, nulls, plain } from './nulls.ts';
import type { Speed } from './speed.ts';

/** What was promised, of that which was measured. */
export function goalsOn(results: Results, speed: Speed | undefined): readonly Claim[] {
  const claims = [...quiet(results), ...soon(results)].filter(({ name }) => results[name] !== undefined);
  return [...claims.map(({ claim }) => claim), ...(speed === undefined ? [] : quick(speed))];
}

interface Named {
  readonly name: string;
  readonly claim: Claim;
}

function quiet(results: Results): readonly Named[] {
  const rate = (name: string, atMost: number, gate = 'both gates', what = name): Named => ({
    name,
    claim: {
      what: `false incidents, ${what}`,
      estimate: yearly(tallyOf(results, name, gate)),
      goal: { atMost },
      unit: 'a year',
      strict: true,
    },
  });
  return [
    rate(plain.name, 0.5, 'both gates', 'n 10,000, m 1,000'),
    rate(plain.name, 1, 'evidence', 'n 10,000, m 1,000, evidence alone'),
    ...bySize.map(({ name }) => rate(name, 1, 'both gates', name.replace('nothing, ', ''))),
    ...nulls
      .filter(({ isProved, name }) => isProved === true && name.startsWith('columns'))
      .map(({ name }) => rate(name, 1)),
  ];
}

function soon(results: Results): readonly Named[] {
  const tally = (effect: string, history: number) => tallyOf(results, effectName(effect, history), 'serin');
  const median = (effect: string, history: number, atMost: number): Named => ({
    name: effectName(effect, history),
    claim: {
      what: `${effectName(effect, history)}: median`,
      estimate: medianOf(tally(effect, history)),
      goal: { atMost },
      unit: 'windows',
    },
  });
  const within = (effect: string, history: number, windows: number, atLeast: number): Named => ({
    name: effectName(effect, history),
    claim: {
      what: `${effectName(effect, history)}: within ${windows === 1 ? 'one window' : `${windows} windows`}`,
      estimate: shareWithin(tally(effect, history), windows),
      goal: { atLeast },
      unit: 'share',
    },
  });
  return [
    median('a shift of 0.1', 60, 3),
    within('a shift of 0.1', 60, 7, 0.95),
    within('a shift of 0.1', 0, 7, 0.92),
    median('a shift of 0.2', 60, 3),
    within('a shift of 0.2', 60, 7, 1),
    median('5 points to one other category', 60, 2),
    median('5 points to 20 other categories', 60, 2),
    within('missing values from 1 to 5 %', 60, 1, 0.99),
    within('missing values from 1 to 5 %', 0, 1, 0.99),
  ];
}

const exactly = (value: number): Estimate => ({ value, low: value, high: value });

function quick({ counted, judgedMs, csv, texts, parquet }: Speed): readonly Claim[] {
  const pace = (what: string, value: number, atLeast: number): Claim => ({
    what,
    estimate: exactly(value),
    goal: { atLeast },
    unit: 'M/s',
  });
  return [
    pace('live counting, values a second of one core', counted.perSecond, 40),
    {
      what: 'live counting of 1,000 columns, memory',
      estimate: exactly(counted.megabytes),
      goal: { atMost: 256 },
      unit: 'MB',
    },
    pace('a CSV profiled in full, values a second of one core', csv.perSecond, 6),
    pace('a CSV of texts profiled in full', texts.perSecond, 3),
    ...(parquet === undefined ? [] : [pace('a Parquet profiled in full', parquet.perSecond, 8)]),
    { what: 'a window of 1,000 columns judged', estimate: exactly(judgedMs), goal: { atMost: 50 }, unit: 'ms' },
  ];
}
