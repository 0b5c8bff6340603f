import { type Claim, figure, medianOf, shareOf } from './claims.ts';
import { table } from './markdown.ts';
import { innocentName, otherCases, otherNulls } from './others-cases.ts';
import type { Part } from './parts.ts';

/** Users, segments, labels, losses and pairs, through the table of the product. */
const share = (value: number): string => figure(value, 'share');

export const othersPart: Part = {
  cases: otherCases,
  claims: (results) =>
    otherNulls.flatMap((scene): readonly Claim[] => {
      const name = innocentName(scene);
      const tally = results[name]?.judge;
      return tally === undefined
        ? []
        : [{ what: `rolled back, ${name}`, estimate: shareOf(tally), goal: { atMost: 0.01 }, unit: 'share' }];
    }),
  section(results) {
    const rows = otherCases.flatMap(({ name }) => {
      const tallies = results[name] ?? {};
      const tally = tallies.judge;
      if (tally === undefined) return [];
      const { value, low, high } = shareOf(tally);
      const certified = tallies['ended: certified']?.runs;
      return [
        [
          name,
          tally.runs.toLocaleString('en-GB'),
          `${share(value)} (${share(low)} to ${share(high)})`,
          name.startsWith('worse') ? figure(medianOf(tally).value, 'minutes') : '',
          certified === undefined ? '' : share(certified / tally.runs),
        ],
      ];
    });
    return `## Users, segments, labels, losses and pairs

Through the table of the product as well, without a history. At the margin the column says how many were promoted.

${table(['candidate', 'runs', 'taken back by evidence (limits)', 'median', 'certified'], rows)}`;
  },
};
