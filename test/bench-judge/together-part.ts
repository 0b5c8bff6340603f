import { type Claim, figure, medianOf, shareOf } from './claims.ts';
import { table } from './markdown.ts';
import type { Part } from './parts.ts';
import { togetherCases } from './together.ts';

/** What happens to both arms together: false holds of the innocent, and what is found of a candidate that hurts both. */
const share = (value: number): string => figure(value, 'share');
const isInnocent = (name: string): boolean => name.includes('innocent');
/** The issue asks for this one: both arms fail ten times as often from 25 % on. */
const isAsked = (name: string): boolean => name.includes('x10 from 25 % on, an incident') && !name.endsWith(', 60 rpm');

export const togetherPart: Part = {
  cases: togetherCases,
  claims: (results) =>
    togetherCases.flatMap(({ name }): readonly Claim[] => {
      const { held, 'taken back': back } = results[name] ?? {};
      if (held === undefined || back === undefined) return [];
      if (isInnocent(name))
        return [{ what: `held, ${name}`, estimate: shareOf(held), goal: { atMost: 0.01 }, unit: 'share' }];
      return isAsked(name)
        ? [{ what: `taken back, ${name}`, estimate: shareOf(back), goal: { atLeast: 0.95 }, unit: 'share' }]
        : [];
    }),
  section(results) {
    const rows = togetherCases.flatMap(({ name }) => {
      const { held, 'taken back': back } = results[name] ?? {};
      if (held === undefined || back === undefined) return [];
      const { value, low, high } = shareOf(held);
      return [
        [
          name.replace('both arms: ', ''),
          held.runs.toLocaleString('en-GB'),
          `${share(value)} (${share(low)} to ${share(high)})`,
          share(shareOf(back).value),
          figure(medianOf(back).value, 'minutes'),
        ],
      ];
    });
    return `## Both arms together

A candidate that wears out what both arms share makes both fail. Each rollout has a week of its own behind it: nights,
days, and incidents of 8 minutes with six times the errors, or long ones. "Not below": the harm goes with the weight. The more incidents the champion's own week had, and the longer
they were, the less such harm stands out: beside long ones most of it is not found.

${table(['candidate', 'runs', 'held (limits)', 'taken back', 'median'], rows)}`;
  },
};
