import type { ModelPlan } from './config.ts';

/** The weights of the candidate that a strategy goes through before it gets all traffic. */
export function stepsOf(plan: ModelPlan['rollout']): readonly number[] {
  switch (plan.strategy) {
    case 'canary':
      return plan.steps;
    case 'linear':
      return Array.from({ length: Math.ceil(100 / plan.increment) - 1 }, (_, index) => (index + 1) * plan.increment);
    case 'shadow':
      return [0, ...plan.steps];
    case 'ab':
      return [plan.split];
    default:
      return [];
  }
}
