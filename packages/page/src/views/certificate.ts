import { countText, grouped, oddsText, percent } from '@serin/core/base/numbers';
import { durationText } from '@serin/core/base/time';
import type { Certificate } from '@serin/core/judge/certificate';
import { breakOf } from '@serin/core/judge/conditions';
import { html } from 'hono/html';
import { type Part, table } from '../parts.ts';
import type { Html } from '../views.ts';

type Finding = Certificate['guardrails'][number];
type Found = Finding['streams'][number];

/** A certificate in words: what was decided, on which numbers, what was assumed and what breaks it. */
export function certificateView(certificate: Certificate): Html {
  const { sentence, rule, alpha, beta, logE, verdict, conditions, conditionIds = [], ticks, tickMs } = certificate;
  const bound =
    verdict === 'none'
      ? 'It was decided by policy, a person or time, so neither bound was used.'
      : `If what is assumed below holds, at most ${percent(alpha)} of harmless candidates are taken back, and at most ${percent(beta)} of those that are as bad as the margin are promoted.`;
  return html`<p class="sentence">${sentence}</p>
<p>Evidence of harm: ${oddsText(logE)}, from ${countText(ticks, 'tick')}${tickMs === undefined ? '' : ` of ${durationText(tickMs)}`}. Traffic is taken back at ${oddsText(Math.log(1 / alpha))}. ${bound}</p>
${findings(certificate)}
<h3>What was assumed, and what breaks it</h3>
<dl class="assumed">${conditions.map((condition, index) => assumption(condition, conditionIds[index]))}</dl>
<p class="quiet">Rule ${rule}.</p>`;
}

function assumption(condition: string, id: string | undefined): Html {
  const broken = breakOf(id);
  return html`<div><dt>${condition}</dt>${broken === undefined ? '' : html`<dd>Untrue if ${broken.breaks}. Then ${broken.mend}.</dd>`}</div>`;
}

interface Row {
  readonly finding: Finding;
  readonly found: Found;
}

const findings = ({ guardrails }: Certificate): Part =>
  table<Row>('findings', 'What each guardrail found', {
    rows: guardrails.flatMap((finding) => finding.streams.map((found) => ({ finding, found }))),
    empty: 'No guardrail was judged.',
    columns: [
      { name: 'Guardrail', show: ({ finding, found }) => html`${found.id} <small>${notes(finding, found)}</small>` },
      { name: 'Bad of the candidate’s', show: ({ found }) => badOf(found, 'candidate') },
      { name: 'Bad of the champion’s', show: ({ found }) => badOf(found, 'champion') },
      { name: 'Times as often as the champion', show: ({ found }) => ratioText(found.ratio) },
      { name: 'Odds of harm', show: ({ found }) => oddsText(found.logE) },
      {
        name: 'Odds of safety',
        show: ({ found: { logSafe } }) => (logSafe === undefined ? 'not asked' : oddsText(logSafe)),
      },
    ],
  });

function badOf({ cells }: Found, arm: 'candidate' | 'champion'): string {
  const sum = (read: (cell: Found['cells'][string]) => number) =>
    Object.values(cells).reduce((total, cell) => total + read(cell), 0);
  const [bad, of] = [sum((cell) => cell[arm] + cell[`${arm}Alone`]), sum((cell) => cell[`${arm}Requests`])];
  return of === 0 ? 'no requests' : `${grouped(bad)} of ${grouped(of)} (${percent(bad / of)})`;
}

function notes({ alphaShare, blame }: Finding, { pairs, events }: Found): string {
  return [
    ...(events === undefined ? [] : [events]),
    ...(alphaShare === 0 ? ['dry run'] : []),
    ...(blame === undefined ? [] : [blame === 'certified' ? 'to blame' : 'most likely to blame']),
    ...(pairs === undefined
      ? []
      : [`mirrored, only one answer bad: ${grouped(pairs[0])} its own, ${grouped(pairs[1])} the champion's`]),
  ].join('; ');
}

/** `0.4 to 1.8`, or open at a side. */
function ratioText({ low, high }: Found['ratio']): string {
  const short = (value: number): string => String(Number(value.toPrecision(2)));
  if (high === undefined) return low === 0 ? 'any' : `at least ${short(low)}`;
  return low === 0 ? `at most ${short(high)}` : `${short(low)} to ${short(high)}`;
}
