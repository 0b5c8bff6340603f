import { type Claim, figure, medianOf, shareOf } from './claims.ts';
import { table } from './markdown.ts';
import { innocentName, otherCases, otherMarginName, otherMargins, otherNulls } from './others-cases.ts';
import type { Part } from './parts.ts';

/** Users, segments, labels, losses and pairs, through the table of the product. */
const share = (value: number): string => figure(value, 'share');

export const othersPart: Part = {
  cases: otherCases,
  claims(results) {
    const claim = (name: string, what: string, atMost: number): readonly Claim[] => {
      const tally = results[name]?.judge;
      return tally === undefined
        ? []
        : [{ what: `${what}, ${name}`, estimate: shareOf(tally), goal: { atMost }, unit: 'share' }];
    };
    return [
      ...otherNulls.flatMap((scene) => claim(innocentName(scene), 'rolled back', 0.01)),
      ...otherMargins.flatMap((scene) => claim(otherMarginName(scene), 'promoted', 0.05)),
    ];
  },
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
