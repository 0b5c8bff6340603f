import { countText, grouped, oddsText, percent } from '@serin/core/base/numbers';
import { durationText } from '@serin/core/base/time';
import type { Certificate, StreamFinding } from '@serin/core/judge/certificate';
import { breakOf } from '@serin/core/judge/conditions';
import { harmless } from './terminal.ts';

/** A certificate as a person reads it: the sentence, what it took, a line for each stream, then what was assumed. */
export function certificateLines(certificate: Certificate | undefined): readonly string[] {
  if (certificate === undefined) return [];
  const { sentence, rule, alpha, beta, logE, ticks, tickMs, guardrails, conditions, conditionIds = [] } = certificate;
  const length = tickMs === undefined ? '' : ` of ${durationText(tickMs)}`;
  return [
    harmless(sentence),
    `  evidence of harm ${oddsText(logE)} from ${countText(ticks, 'tick')}${length}; taken back at ${oddsText(-Math.log(alpha))}; rule ${rule}`,
    ...guardrails.flatMap(({ name, blame, streams }) =>
      streams.map((stream) => {
        const isBlamed = blame !== undefined && stream.id.startsWith(name);
        const blamed = isBlamed ? `; ${blame === 'certified' ? 'to blame' : 'most likely to blame'}` : '';
        return `  ${harmless(stream.id)}: ${streamText(stream, beta)}${blamed}`;
      }),
    ),
    ...conditions.map((condition, index) => `  assumed: ${harmless(condition)}${breakText(conditionIds[index])}`),
  ];
}

function breakText(id: string | undefined): string {
  const known = breakOf(id);
  return known === undefined ? '' : `. Untrue if ${known.breaks}. Then ${known.mend}`;
}

function streamText({ events, cells, pairs, logE, logSafe, ratio }: StreamFinding, beta: number): string {
  const counts = Object.entries(cells).map(
    ([weight, cell]) =>
      `${countsText(cell.candidate + cell.candidateAlone, cell.candidateRequests)} against ${countsText(cell.champion + cell.championAlone, cell.championRequests)} at ${weight} %`,
  );
  return [
    ...(events === undefined ? [] : [harmless(events)]),
    counts.join(', ') || 'no counts',
    ...(pairs === undefined
      ? []
      : [`mirrored, only one bad: the candidate ${grouped(pairs[0])}, the champion ${grouped(pairs[1])}`]),
    ...ratioText(ratio),
    `evidence of harm ${oddsText(logE)}`,
    ...(logSafe === undefined ? [] : [`of safety ${oddsText(logSafe)}, promoted at ${oddsText(-Math.log(beta))}`]),
  ].join('; ');
}

const countsText = (bad: number, of: number): string =>
  of === 0 ? 'no requests' : `${percent(bad / of)} (${grouped(bad)} of ${grouped(of)})`;

/** Nothing, where nothing bounds it. */
function ratioText({ low, high }: StreamFinding['ratio']): readonly string[] {
  const digits = (value: number): string =>
    value < 100 ? String(Number(value.toPrecision(2))) : grouped(Number(value.toPrecision(2)));
  if (high === undefined) return low === 0 ? [] : [`at least ${digits(low)} times as often as the champion`];
  const from = low === 0 ? `at most ${digits(high)}` : `${digits(low)} to ${digits(high)}`;
  return [`${from} times as often as the champion`];
}
