import { type Claim, figure, medianOf, shareOf, shareWithin } from './claims.ts';
import { table } from './markdown.ts';
import type { Part } from './parts.ts';
import { fiveName, healthyName, marginNames, smallCases, smallConfigs, smallKnowledges } from './small.ts';
import type { Tallies } from './tally.ts';

const share = (value: number): string => figure(value, 'share');
const minutes = (value: number): string => figure(value, 'minutes');

/** What is asked of the bounds that are proposed for this traffic, beside a champion that has served for a week. */
function asked(results: Readonly<Record<string, Tallies>>): readonly Claim[] {
  const { certified, 'no evidence': none } = results[healthyName('as proposed', 'with history')] ?? {};
  const { 'taken back': back } = results[fiveName('as proposed', 'with history')] ?? {};
  if (certified === undefined || none === undefined || back === undefined) return [];
  const name = '60 rpm, as proposed';
  return [
    {
      what: `certified, healthy, ${name}: median`,
      estimate: medianOf(certified),
      goal: { atMost: 90 },
      unit: 'minutes',
    },
    {
      what: `taken back for want of evidence, healthy, ${name}`,
      estimate: shareOf(none),
      goal: { atMost: 0.01 },
      unit: 'share',
    },
    { what: `errors x5, ${name}: median`, estimate: medianOf(back), goal: { atMost: 75 }, unit: 'minutes' },
  ];
}

const atTheMargin = (results: Readonly<Record<string, Tallies>>): readonly Claim[] =>
  marginNames.flatMap((name) => {
    const { judge } = results[name] ?? {};
    return judge === undefined
      ? []
      : [{ what: `promoted, ${name}`, estimate: shareOf(judge), goal: { atMost: 0.05 }, unit: 'share' }];
  });

export const smallPart: Part = {
  cases: smallCases,
  claims: (results) => [...asked(results), ...atTheMargin(results)],
  section(results) {
    const rows = smallConfigs.flatMap((config) =>
      smallKnowledges.flatMap((known) => {
        const { certified, 'no evidence': none } = results[healthyName(config, known)] ?? {};
        const { 'taken back': back } = results[fiveName(config, known)] ?? {};
        if (certified === undefined || none === undefined || back === undefined) return [];
        return [
          [
            `${config}, ${known}`,
            minutes(medianOf(certified).value),
            share(shareWithin(certified, 90).value),
            share(shareOf(none).value),
            minutes(medianOf(back).value),
          ],
        ];
      }),
    );
    return `## Few requests

60 requests a minute, of which 0.5 % fail. "As proposed" is what \`serin validate\` proposes for this traffic.

${table(['config', 'healthy: certified, median', 'within 90 min', 'taken back for want of evidence', 'errors x5: taken back, median'], rows)}`;
  },
};
