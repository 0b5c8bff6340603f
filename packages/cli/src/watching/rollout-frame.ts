import { shortId } from '@serin/core/base/ids';
import { grouped, percent } from '@serin/core/base/numbers';
import { agoText, durationText } from '@serin/core/base/time';
import type { Bar, Standing } from '@serin/core/model/rollout/standing';
import type { Document } from '../client.ts';
import { stateColour, table } from '../table.ts';
import { isDocument } from '../wait.ts';
import { paragraph } from '../width.ts';
import { bar, evidenceText, indented, type Mark, marked, type Reader } from './parts.ts';

/** What a frame shows of a rollout, as the API answers it. */
export interface RolloutDocument extends Document {
  readonly id: string;
  readonly model: string;
  readonly status: string;
  readonly candidate: number;
  readonly steps: readonly number[];
  readonly weight: number;
}

const going = ['shifting', 'baking', 'paused', 'held'];
const finishing = ['promoting', 'guarding'];
const storyLines = 6;

/** A rollout in one look: its steps, its counts, the evidence against what decides, and what happened last. */
export function rolloutFrame(rollout: RolloutDocument, now: number, terminal: Reader): string {
  const { model, candidate, status, id } = rollout;
  const standing = Object(rollout.standing) as Standing; // of the API's own view
  const title = `${terminal.paint('bold', `${model} v${candidate}`)}  ${terminal.paint(stateColour(status), stateText(rollout))}${leftText(rollout, now)}  ${terminal.paint('dim', shortId(id))}`;
  const because =
    typeof rollout.because === 'string' ? paragraph(`  ${rollout.because}`, terminal).map((line) => `${line}\n`) : [];
  return [
    `${title}\n`,
    ...because,
    '\n',
    ...stepLines(rollout, now, terminal),
    '\n',
    countLines(rollout, standing, terminal),
    ...evidenceLines(standing),
    '\n',
    storyText(rollout, now, terminal),
    ...hints(rollout, terminal),
  ].join('');
}

const stateText = ({ status, weight }: RolloutDocument): string =>
  [...going, ...finishing].includes(status) ? `${status} at ${weight} %` : status;

const endOf = ({ endsAt, until, deadline }: Document): number => Number(endsAt ?? until ?? deadline ?? Number.NaN);

function leftText(rollout: RolloutDocument, now: number): string {
  const left = endOf(rollout) - now;
  return rollout.endedAt !== undefined || Number.isNaN(left)
    ? ''
    : left > 0
      ? `, ${durationText(left)} left`
      : ', its last counts are read';
}

interface Step {
  readonly name: string;
  readonly share: number;
  readonly mark: Mark;
}

/** Deployed, a step for each weight, then all: which is done, goes on, or went wrong. */
function stepsOf(rollout: RolloutDocument): readonly Step[] {
  const { status, steps, candidate } = rollout;
  const names = [
    `deploy v${candidate}`,
    ...steps.map((weight) => (weight === 0 ? 'mirror' : `${weight} %`)),
    'all traffic',
  ];
  const at = presentStep(rollout, names.length - 1);
  const mark = (index: number): Mark => {
    if (status === 'promoted' || index < at) return 'well';
    if (index > at) return 'later';
    return ['rolledBack', 'aborted', 'reverting'].includes(status)
      ? 'badly'
      : ['held', 'paused'].includes(status)
        ? 'asks'
        : 'goes';
  };
  return names.map((name, index) => ({
    name,
    share: index === 0 ? Number.NaN : index === names.length - 1 ? 1 : (steps[index - 1] ?? 0) / 100,
    mark: mark(index),
  }));
}

function presentStep({ status, step, steps, evidence }: RolloutDocument, all: number): number {
  if (typeof step === 'number') return step + 1;
  if (finishing.includes(status)) return all;
  if (status === 'deploying') return 0;
  // When a rollout has ended, only its counts say how far it came.
  const reached = Object.keys(Object(Object(evidence).routed)).map(Number);
  return steps.findLastIndex((weight) => reached.includes(weight)) + 1;
}

function stepLines(rollout: RolloutDocument, now: number, terminal: Reader): readonly string[] {
  const steps = stepsOf(rollout);
  const width = Math.max(...steps.map(({ name }) => name.length));
  return steps.map(({ name, share, mark }) => {
    const left = mark === 'goes' && endOf(rollout) > now ? `  ${durationText(endOf(rollout) - now)} left` : '';
    const drawn = Number.isNaN(share) ? '' : `  ${bar(share, 20)}`;
    return marked(mark, `${name.padEnd(width)}${drawn}${left}`.trimEnd(), terminal);
  });
}

function countLines({ candidate, stable }: RolloutDocument, standing: Standing, terminal: Reader): string {
  const rows = [
    { who: `v${candidate}, the candidate`, ...standing.candidate },
    ...(typeof stable === 'number' ? [{ who: `v${stable}, the champion`, ...standing.champion }] : []),
  ].map(({ who, requests, errors }) => ({
    who,
    requests: grouped(requests),
    failed: grouped(errors),
    share: requests === 0 ? '' : percent(errors / requests),
  }));
  const columns = { 'COUNTED SO FAR': 'who', REQUESTS: 'requests', FAILED: 'failed', SHARE: 'share' };
  return indented(terminal, (narrower) => table(rows, columns, narrower));
}

function evidenceLines({ harm, safety = [] }: Standing): readonly string[] {
  if (harm === undefined) return [];
  const line = (name: string, found: Bar, then: string) => `  ${name.padEnd(width)}  ${evidenceText(found, then)}\n`;
  const named = safety.map((found) => ({ name: `safe: ${found.stream}`, found }));
  const width = Math.max(4, ...named.map(({ name }) => name.length));
  return ['\n', line('harm', harm, 'taken back'), ...named.map(({ name, found }) => line(name, found, 'passes'))];
}

function storyText({ story, because }: RolloutDocument, now: number, terminal: Reader): string {
  const lines = Array.isArray(story) ? story.filter(isDocument).slice(-storyLines) : [];
  const rows = lines.map(({ at, text }) => ({
    at: agoText(Date.parse(String(at)), now),
    // The reason stands above.
    text: String(text)
      .replace(String(because), '')
      .replace(/^; |: $/, ''),
  }));
  return rows.length === 0 ? '' : indented(terminal, (narrower) => table(rows, { WHEN: 'at', WHAT: 'text' }, narrower));
}

function hints({ status, id }: RolloutDocument, terminal: Reader): readonly string[] {
  const verbs = { held: 'promote|resume|abort', paused: 'resume|promote|abort', baking: 'pause|promote|abort' }[status];
  return verbs === undefined ? [] : [`\n${terminal.paint('dim', `  serin rollouts ${verbs} ${shortId(id)}`)}\n`];
}
