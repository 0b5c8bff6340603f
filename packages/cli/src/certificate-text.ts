import type { Certificate } from '@serin/core/judge/certificate';
import { harmless } from './terminal.ts';

/** A certificate as a person reads it: the sentence, then a line for each guardrail. */
export function certificateLines(certificate: Certificate | undefined): readonly string[] {
  if (certificate === undefined) return [];
  const { sentence, rule, alpha, beta, logE, ticks, guardrails, conditions } = certificate;
  return [
    harmless(sentence),
    `  rule ${rule}, alpha ${alpha}, beta ${beta}; log E ${digits(logE)} of ${digits(Math.log(1 / alpha))} for a rollback, ${ticks} ticks`,
    ...guardrails.flatMap(({ name, blame, streams }) =>
      streams.map(({ id, cells, pairs, logE: own, logSafe, ratio }) => {
        const counts = Object.entries(cells).map(
          ([weight, cell]) =>
            `${cell.candidate + cell.candidateAlone}/${cell.candidateRequests} against ${cell.champion + cell.championAlone}/${cell.championRequests} at ${weight} %`,
        );
        const mirrored = pairs === undefined ? '' : `, mirrored ${pairs[0]} against ${pairs[1]}`;
        const safe =
          logSafe === undefined ? '' : `, for a promotion ${digits(logSafe)} of ${digits(Math.log(1 / beta))}`;
        const blamed =
          blame === undefined || !id.startsWith(name)
            ? ''
            : `, to blame: ${blame === 'certified' ? 'certified' : 'most likely'}`;
        return `  ${harmless(id)}: ${counts.join(', ') || 'no counts'}${mirrored}; ratio ${digits(ratio.low)} to ${ratio.high === undefined ? 'any' : digits(ratio.high)}; log E ${digits(own)}${safe}${blamed}`;
      }),
    ),
    ...conditions.map((condition) => `  assumed: ${harmless(condition)}`),
  ];
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));
