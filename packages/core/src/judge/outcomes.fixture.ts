import { expect } from 'vitest';

/**
 * All outcomes of a tick with their exact probabilities: an expectation over them is a sum, not a simulation.
 *
 * A law is built up from independent units (a request, a burst of requests, a user); outcomes with the same counts are
 * one, so six requests of either arm are 84 outcomes at most.
 */
export interface Tally {
  readonly candidateRequests: number;
  readonly championRequests: number;
  /** Bad requests. */
  readonly candidate: number;
  readonly champion: number;
}

export interface Outcome extends Tally {
  readonly probability: number;
}

export type Law = readonly Outcome[];

const zero: Outcome = { probability: 1, candidateRequests: 0, championRequests: 0, candidate: 0, champion: 0 };

/** No request came. */
export const nothing: Law = [zero];

export interface Shares {
  readonly candidate: number;
  readonly champion: number;
}

/** One request (or a burst that fails or succeeds as one) to the arm that is named, bad with probability `bad`. */
export function toArm(arm: 'candidate' | 'champion', bad: number, burst = 1): Law {
  const [came, failed] =
    arm === 'candidate' ? (['candidateRequests', 'candidate'] as const) : (['championRequests', 'champion'] as const);
  return [
    { ...zero, [came]: burst, [failed]: burst, probability: bad },
    { ...zero, [came]: burst, probability: 1 - bad },
  ].filter(possible);
}

/** One request that a coin sends to the candidate with probability `share`. */
export const routed = (share: number, bad: Shares, burst = 1): Law =>
  mixed([
    [share, toArm('candidate', bad.candidate, burst)],
    [1 - share, toArm('champion', bad.champion, burst)],
  ]);

/** One of the laws, by a draw that nobody sees. */
export const mixed = (parts: readonly (readonly [number, Law])[]): Law =>
  merged(
    parts.flatMap(([part, law]) => law.map((outcome) => ({ ...outcome, probability: part * outcome.probability }))),
  );

/** Both, independently of each other. */
export const both = (first: Law, second: Law): Law =>
  merged(
    first.flatMap((one) =>
      second.map((other) => ({
        probability: one.probability * other.probability,
        candidateRequests: one.candidateRequests + other.candidateRequests,
        championRequests: one.championRequests + other.championRequests,
        candidate: one.candidate + other.candidate,
        champion: one.champion + other.champion,
      })),
    ),
  );

/** `count` independent units. */
export function times(count: number, unit: Law): Law {
  let law = nothing;
  for (let index = 0; index < count; index += 1) law = both(law, unit);
  return law;
}

export function expected(law: Law, value: (tally: Tally) => number): number {
  let sum = 0;
  for (const outcome of law) sum += outcome.probability * value(outcome);
  return sum;
}

const possible = ({ probability }: Outcome): boolean => probability > 0;

function merged(outcomes: Law): Law {
  const known = new Map<number, Outcome>();
  for (const outcome of outcomes.filter(possible)) {
    const { candidateRequests, championRequests, candidate, champion } = outcome;
    const key = ((candidateRequests * 100 + championRequests) * 100 + candidate) * 100 + champion;
    const before = known.get(key);
    known.set(
      key,
      before === undefined ? outcome : { ...outcome, probability: before.probability + outcome.probability },
    );
  }
  return [...known.values()];
}

/** The case of the largest (or, with `-value`, the smallest) value, so that a failing test names it. */
export function largest<Case>(
  cases: Iterable<Case>,
  value: (of: Case) => number,
): { readonly value: number; readonly of?: Case } {
  let found: { readonly value: number; readonly of?: Case } = { value: Number.NEGATIVE_INFINITY };
  for (const of of cases) {
    const next = value(of);
    // A NaN is the largest of all: it must not hide.
    if (!(next <= found.value)) found = { value: next, of };
    if (Number.isNaN(next)) return found;
  }
  return found;
}

/** What sums of probabilities may be off by. */
export const rounding = 1e-12;

/** The largest expectation is 1 or below. */
export const atMostOne = (found: { readonly value: number; readonly of?: unknown }): void =>
  expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(1 + rounding);

/** The rollback test leaves out a tick in which the champion had no requests; one without candidate requests counts. */
export const counted =
  (value: (tally: Tally) => number) =>
  (tally: Tally): number =>
    tally.championRequests === 0 ? 1 : value(tally);

/** Every combination of the values of each field. */
export function* grid<const Fields extends Readonly<Record<string, readonly number[]>>>(
  fields: Fields,
): Generator<{ readonly [Name in keyof Fields]: number }> {
  const names = Object.keys(fields);
  const counts = names.map((name) => fields[name]?.length ?? 0);
  const total = counts.reduce((product, count) => product * count, 1);
  for (let index = 0; index < total; index += 1) {
    const row: Record<string, number> = {};
    let rest = index;
    names.forEach((name, field) => {
      const count = counts[field] ?? 1;
      row[name] = fields[name]?.[rest % count] ?? Number.NaN;
      rest = Math.floor(rest / count);
    });
    // Every field has got one of its values above.
    yield row as { readonly [Name in keyof Fields]: number };
  }
}

/**
 * The exact probability that `says` is true at least once while bad requests come one by one, `events` of them, each the
 * candidate's with probability `share` (or, read otherwise: requests come, each bad with that probability).
 */
export function everHappens(events: number, share: number, says: (hits: number, others: number) => boolean): number {
  let alive = [1];
  let happened = 0;
  for (let count = 1; count <= events; count += 1) {
    const next = Array.from({ length: count + 1 }, (_, hits) => {
      const probability = (alive[hits - 1] ?? 0) * share + (alive[hits] ?? 0) * (1 - share);
      if (probability === 0 || !says(hits, count - hits)) return probability;
      happened += probability;
      return 0;
    });
    alive = next;
  }
  return happened;
}

/** Standard normal numbers, always the same. */
export function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
