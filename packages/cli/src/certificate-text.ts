import { grouped, oddsText } from '@serin/core/base/numbers';
import type { Certificate, StreamFinding } from '@serin/core/judge/certificate';
import { harmless } from './terminal.ts';

/** A certificate as a person reads it: the sentence, what it took, then a line for each guardrail. */
export function certificateLines(certificate: Certificate | undefined): readonly string[] {
  if (certificate === undefined) return [];
  const { sentence, rule, alpha, beta, logE, ticks, guardrails, conditions } = certificate;
  return [
    harmless(sentence),
    `  odds of harm ${oddsText(logE)}; a rollback wants ${oddsText(-Math.log(alpha))}; rule ${rule}, ${grouped(ticks)} ticks`,
    ...guardrails.flatMap(({ name, blame, streams }) =>
      streams.map((stream) => {
        const isBlamed = blame !== undefined && stream.id.startsWith(name);
        const blamed = isBlamed ? `; to blame: ${blame === 'certified' ? 'certified' : 'most likely'}` : '';
        return `  ${harmless(stream.id)}: ${streamText(stream, beta)}${blamed}`;
      }),
    ),
    ...conditions.map((condition) => `  assumed: ${harmless(condition)}`),
  ];
}

function streamText({ cells, pairs, logE, logSafe, ratio }: StreamFinding, beta: number): string {
  const counts = Object.entries(cells).map(
    ([weight, cell]) =>
      `${grouped(cell.candidate + cell.candidateAlone)} of ${grouped(cell.candidateRequests)} against ${grouped(cell.champion + cell.championAlone)} of ${grouped(cell.championRequests)} at ${weight} %`,
  );
  return [
    counts.join(', ') || 'no counts',
    ...(pairs === undefined ? [] : [`mirrored ${pairs[0]} against ${pairs[1]}`]),
    `ratio ${digits(ratio.low)} to ${ratio.high === undefined ? 'any' : digits(ratio.high)}`,
    `odds of harm ${oddsText(logE)}`,
    ...(logSafe === undefined
      ? []
      : [`odds of safety ${oddsText(logSafe)}, a promotion wants ${oddsText(-Math.log(beta))}`]),
  ].join('; ');
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));
