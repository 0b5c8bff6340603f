import { percent } from '../base/numbers.ts';
import { durationText, hour, minute } from '../base/time.ts';
import type { ModelPlan } from '../config/config.ts';
import { certificationUnder, forecastOf, mostly, shareWithin } from './forecast.ts';

type Plan = ModelPlan['rollout'];
const changeable = ['errors', 'latency'] as const;

/** What a config for few requests may say instead, so that its rollouts end within hours. */
export interface Proposal {
  readonly margin: number;
  readonly floor: number;
  readonly atMost: number;
  readonly guardrails: readonly (typeof changeable)[number][];
  /** When half of the healthy candidates are certified, since the first step began. Milliseconds. */
  readonly certifies: number;
}

/** From what gives up least to what gives up most. */
const bounds = [
  { margin: 2, floor: 0.001 },
  { margin: 3, floor: 0.001 },
  { margin: 3, floor: 0.01 },
  { margin: 5, floor: 0.01 },
] as const;
/** Half of the healthy candidates are to be certified so soon, and nearly all within `atMost`. */
const soon = 90 * minute;
const nearlyAll = 0.95;
const [longest, ...shorter] = [24, 8, 4, 2, 1].map((hours) => hours * hour) as [number, ...number[]];

/** `undefined`: the config is good for the traffic that it expects, or says nothing of it; or no such bounds would help. */
export function proposalFor(plan: Plan): Proposal | undefined {
  const { expected } = plan;
  if (expected === undefined) return undefined;
  const now = forecastOf(plan, expected.rpm, expected.errorShare);
  if (now === undefined || now.certified.inTime >= mostly) return undefined;
  let best: Proposal | undefined;
  for (const bound of bounds) {
    const found = proposalWith(plan, expected, bound);
    if (found === undefined) continue;
    best = best === undefined || found.certifies < best.certifies ? found : best;
    if (found.certifies <= soon) return found;
  }
  return best;
}

function proposalWith(
  plan: Plan,
  expected: NonNullable<Plan['expected']>,
  bound: (typeof bounds)[number],
): Proposal | undefined {
  const guardrails = changeable.filter((name) => isDecided(plan.guardrails[name]));
  if (guardrails.some((name) => isNarrower(bound, plan.guardrails[name]))) return undefined;
  const changed = guardrails.map((name) => [name, { ...plan.guardrails[name], ...bound }] as const);
  const wider = { ...plan, atMost: longest, guardrails: { ...plan.guardrails, ...Object.fromEntries(changed) } };
  const { lastSteps = [], certifies } = certificationUnder(wider, expected) ?? {};
  const within = [longest, ...shorter].filter((ms) => shareWithin(lastSteps, ms) >= nearlyAll);
  const atMost = within.at(-1);
  return certifies === undefined || atMost === undefined
    ? undefined
    : { ...bound, atMost, guardrails, certifies: certifies.median };
}

const isDecided = (rule: Plan['guardrails']['errors'] | undefined): boolean =>
  rule !== undefined && rule !== false && !rule.dryRun;

/** The config asks for less already. */
const isNarrower = (bound: (typeof bounds)[number], rule: Plan['guardrails']['errors'] | undefined): boolean =>
  rule !== undefined && rule !== false && (bound.margin < rule.margin || bound.floor < rule.floor);

/** The fields of the config, as YAML and JavaScript both read them. */
export function proposalFields({ margin, floor, atMost, guardrails }: Proposal): string {
  const rules = guardrails.map((name) => `${name}: { margin: ${margin}, floor: ${floor} }`);
  return `atMost: '${durationText(atMost)}', guardrails: { ${rules.join(', ')} }`;
}

/** What it gains and what it gives up, for a person. */
export const proposalText = (proposal: Proposal): string =>
  `half of the healthy candidates are certified within ${durationText(Math.ceil(proposal.certifies / minute) * minute)}, and nearly all within atMost; a candidate that is less than ${proposal.margin} times as bad, or bad in less than ${percent(proposal.floor)} of its requests, may then be promoted`;
