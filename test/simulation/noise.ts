/**
 * The evidence under an arm's own noise once more, as the design has it and in the form of shares of bad requests
 * (theta): what the core says of single ticks is held against this, so nothing of the judge is used here.
 */

export interface Bad {
  readonly ours: number;
  readonly theirs: number;
  /** The candidate's share of the traffic. */
  readonly share: number;
  /** Its ticks are no evidence, though they show how noisy the counts are. */
  readonly isCold?: boolean;
  /** Of the ramp, from 0. */
  readonly step: number;
}

export interface Noise {
  /** The sd of the log-odds between two arms, before the start. */
  readonly least: number;
  readonly tolerated: number;
  readonly steps: number;
}

const growths = [1.1, 1.25, 1.5, 2, 3, 5, 10] as const;
const bets = [1 / 2, 1] as const;
const most = 5;
const outlier = 1.25;
const tax = 1.01;
const tolerates = 0.6;
const lag = 5;

interface Known {
  readonly usual: number | undefined;
  readonly before: number | undefined;
  readonly num: number;
  readonly den: number;
  readonly seen: readonly { readonly odds: number; readonly variance: number }[];
  /** By step, from the first tick of it on; that of 0 is since the start. */
  readonly logs: readonly (readonly number[])[];
}

const whole = growths.flatMap(() => bets.map(() => 0));

/** `log E` after each tick. */
export function logsUnderNoise(ticks: readonly Bad[], noise: Noise): readonly number[] {
  let known: Known = {
    ...{ usual: undefined, before: undefined, seen: [], logs: [whole] },
    ...{ num: 10 * noise.least ** 2, den: 10 },
  };
  return ticks.map((tick) => {
    known = withNoisy(known, tick, noise);
    return logOf(known, noise);
  });
}

export const noiseIn = ({ num, den }: Pick<Known, 'num' | 'den'>, { least }: Noise): number =>
  Math.min(1, Math.max(least, Math.sqrt(num / den)));

function logOf({ logs }: Known, { steps }: Noise): number {
  const mean = (step: number): number => logOfSum(logs[step] ?? whole) - Math.log(whole.length);
  if (steps <= 1) return mean(0);
  const later = Array.from({ length: steps - 1 }, (_, index) => Math.log(0.2 / (steps - 1)) + mean(index + 1));
  return logOfSum([Math.log(0.8) + mean(0), ...later]);
}

export function withNoisy(known: Known, tick: Bad, noise: Noise): Known {
  const { ours, theirs } = tick;
  const all = ours + theirs;
  const usual = known.usual ?? (known.before === undefined ? undefined : Math.min(known.before, all));
  const highest = usual === undefined ? undefined : Math.max(1.5 * usual + 2 * Math.sqrt(usual) + 2, known.before ?? 0);
  const sd = noiseIn(known, noise);
  const factors = tick.isCold === true ? whole : factorsOf(tick, sd, highest ?? Math.max(all, 1), noise);
  const begun = Array.from(
    { length: Math.max(known.logs.length, tick.step + 1) },
    (_, step) => known.logs[step] ?? whole,
  );
  return {
    usual: usual === undefined ? undefined : usual + 0.2 * (Math.min(all, highest ?? all) - usual),
    before: all,
    ...learned(known, tick),
    logs: begun.map((logs, step) =>
      step === 0 || step <= tick.step ? logs.map((log, index) => log + (factors[index] ?? 0)) : logs,
    ),
  };
}

/** What a tick multiplies each bet with, as logarithms. */
export function factorsOf(
  { ours, theirs, share }: Bad,
  sd: number,
  highest: number,
  { tolerated }: Pick<Noise, 'tolerated'>,
): readonly number[] {
  const all = ours + theirs;
  const ratio = tolerated * Math.exp(tolerates * sd);
  const theta = (r: number): number => (share * r) / (share * r + 1 - share);
  const spread = theta(ratio) * (1 - theta(ratio));
  const effect = 1 + Math.max(all - 1, 0) * spread * sd ** 2;
  const divisor = Math.max(effect, all / highest);
  return growths.flatMap((growth) => {
    const likely =
      ours * Math.log(theta(ratio * growth) / theta(ratio)) +
      theirs * Math.log((1 - theta(ratio * growth)) / (1 - theta(ratio)));
    const atMost = Math.log(growth) * (1 + 2.5 * Math.sqrt((Math.min(all, highest) * spread) / effect));
    const capped = Math.min(likely / divisor, atMost, Math.log(all <= highest ? most : outlier));
    return bets.map((bet) => Math.log(1 - bet + (bet * Math.exp(capped)) / tax));
  });
}

function learned(known: Known, { ours, theirs, share, isCold }: Bad): Pick<Known, 'num' | 'den' | 'seen'> {
  const odds = Math.log((ours + 0.5) / (theirs + 0.5)) - Math.log(share / (1 - share));
  const variance = 1 / (ours + 0.5) + 1 / (theirs + 0.5);
  const seen = [...known.seen, { odds, variance }];
  const index = known.seen.length - lag;
  const past = known.seen[index];
  if (past === undefined || index < 2 || isCold === true) return { num: known.num, den: known.den, seen };
  const sampling = (variance + past.variance) / 2;
  const beyond = Math.min(0.5, Math.max(-0.5, (odds - past.odds) ** 2 / 2 - sampling));
  const weight = (0.09 / (0.09 + sampling)) ** 2;
  return { num: Math.max(known.num + weight * beyond, 0), den: known.den + weight, seen };
}

function logOfSum(logs: readonly number[]): number {
  const top = Math.max(...logs);
  return Number.isFinite(top) ? top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0)) : top;
}
