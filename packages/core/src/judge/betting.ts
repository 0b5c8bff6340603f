/**
 * The test of a bounded loss on split traffic, by betting.
 *
 * For a request with loss L in [0, 1] and A = 1 when the candidate answered, routed to it with probability rho:
 * `Z = A L / rho - (1 - A) L / (1 - rho)`, whose mean is the candidate's mean loss minus the champion's.
 * H0: given the past, E[Z] <= m (m >= 0). K = prod(1 + lambda (Z - m)) is a supermartingale under H0, because lambda
 * is chosen from the past alone and small enough that no factor is negative; K >= 1/alpha rejects.
 * Conditions: the share is the one under which the request was routed; whether a label comes does not depend on the arm.
 *
 * Source: Waudby-Smith & Ramdas (2010.09686), approximate growth-rate-adaptive bets.
 */
export interface Bets {
  readonly labels: number;
  readonly sum: number;
  readonly squares: number;
  readonly logK: number;
}

export const noBets: Bets = { labels: 0, sum: 0, squares: 0, logK: 0 };

export interface Loss {
  readonly candidate: boolean;
  /** The candidate's when the request was routed; between 0 and 1, neither of them. */
  readonly share: number;
  /** In [0, 1]. */
  readonly loss: number;
}

const largestPart = 0.5;
const leastVariance = 1e-3;

/** One more loss, in request order; `m` is how much worse is tolerated. */
export const betOnHarm = (bets: Bets, loss: Loss, m: number): Bets => bet(bets, excess(loss), 1 / (1 - loss.share), m);

/**
 * The same against H0': the candidate's mean loss exceeds the champion's by at least `margin`. The bet is on -Z, which
 * is never below -1 / rho; K' >= 1/beta certifies.
 */
export const betOnSafety = (bets: Bets, loss: Loss, margin: number): Bets =>
  bet(bets, -excess(loss), 1 / loss.share, -margin);

const excess = ({ candidate, share, loss }: Loss): number => (candidate ? loss / share : -loss / (1 - share));

/** `value` is at least `-lowest`; with `lowest + m <= 0` there is nothing to lose, and nothing is bet. */
function bet(bets: Bets, value: number, lowest: number, m: number): Bets {
  const past = bets.labels + 1;
  const mean = bets.sum / past;
  const variance = Math.max((bets.squares + 1) / past - mean * mean, leastVariance);
  const edge = mean - m;
  const most = lowest + m > 0 ? largestPart / (lowest + m) : 0;
  const lambda = Math.min(Math.max(edge / (variance + edge * edge), 0), most);
  return {
    labels: past,
    sum: bets.sum + value,
    squares: bets.squares + value * value,
    logK: bets.logK + Math.log(1 + lambda * (value - m)),
  };
}
