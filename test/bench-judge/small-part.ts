import { type Claim, figure, medianOf, quantileOf, shareOf, shareWithin } from './claims.ts';
import { table } from './markdown.ts';
import type { Part } from './parts.ts';
import {
  configText,
  deadName,
  fiveName,
  healthyName,
  marginNames,
  smallCases,
  smallConfigs,
  smallKnowledges,
} from './small.ts';
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
    const dead = smallKnowledges.flatMap((known) => {
      const { 'taken back': back } = results[deadName(known)] ?? {};
      return back === undefined
        ? []
        : [
            `${share(shareOf(back).value)} of ${back.runs} rollouts ${known === 'no history' ? 'without' : 'with'} a history`,
          ];
    });
    return `## Few requests

60 requests a minute, of which 0.5 % fail. What is not certified when the last step has used all of its time is held,
for a day at most, and may still be certified. That day without a certificate is "want of evidence".

${fewRequests(results)}

With exactly one request a minute no minute has requests of both models. A candidate that fails every one of them is
taken back by the evidence or a limit in ${dead.join(' and in ')}. Any other is held for a day and then taken back.`;
  },
};

/** How long rollouts take with few requests. docs/rollout.md has it as well. */
export function fewRequests(results: Readonly<Record<string, Tallies>>): string {
  const rows = smallConfigs.flatMap((config) =>
    smallKnowledges.flatMap((known) => {
      const { certified, 'no evidence': none } = results[healthyName(config, known)] ?? {};
      const { 'taken back': back } = results[fiveName(config, known)] ?? {};
      if (certified === undefined || none === undefined || back === undefined) return [];
      return [
        [
          `${configText(config)}${known === 'no history' ? "; nothing is known of the champion's past" : ''}`,
          minutes(medianOf(certified).value),
          minutes(quantileOf(certified, 0.9)),
          share(shareWithin(certified, 90).value),
          share(shareOf(none).value),
          minutes(medianOf(back).value),
          certified.runs.toLocaleString('en-GB'),
        ],
      ];
    }),
  );
  return table(
    [
      '60 requests a minute, 0.5 % fail',
      'healthy: certified, median',
      '9 of 10 within',
      'within 90 min',
      'taken back for want of evidence',
      'errors x5: taken back, median',
      'rollouts',
    ],
    rows,
  );
}
