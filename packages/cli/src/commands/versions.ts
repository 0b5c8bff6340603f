import { numberText } from '@serin/core/base/numbers';
import { Failure } from '../failure.ts';
import { argument, type Command, clientOf, path, plainChange, show, textOption } from '../invocation.ts';
import { type Score, scoresOf } from '../screens/scores.ts';
import { type Columns, table, textOf } from '../table.ts';
import { versionArgument } from '../version-argument.ts';
import { isDocument } from '../wait.ts';

/** With the scores on which the gate decided; in brackets the champion's of that time, on the same hold-out. */
export const list: Command = async (invocation) => {
  const { terminal } = invocation;
  const model = argument(invocation, 0);
  const page = await (await clientOf(invocation)).whole(path`/v1/models/${model}/versions`);
  const versions = page.items.filter(isDocument).map((version) => ({ version, scores: scoresOf(version) }));
  const metrics = [...new Set(versions.flatMap(({ scores }) => scores.map(({ metric }) => metric)))];
  const rows = versions.map(({ version, scores }) => ({
    ...version,
    gate: scores.length === 0 ? '' : scores.every(({ passed }) => passed) ? 'passed' : 'refused',
    of: Object.fromEntries(scores.map((score) => [metrics.indexOf(score.metric), scoreText(score)])),
  }));
  const columns: Columns = {
    VERSION: 'number',
    STATE: { path: 'state', as: 'state' },
    ...Object.fromEntries(metrics.map((metric, index) => [textOf('', metric), { path: `of.${index}`, drop: index }])),
    GATE: { path: 'gate', as: 'state', drop: 99 },
    RUN: { path: 'run', as: 'id', drop: 101 },
    TRAINED: { path: 'at', as: 'ago', drop: 100 },
    WHY: 'quarantined.because',
  };
  show(invocation, page, () => (rows.length === 0 ? '' : table(rows, columns, terminal)));
  if (terminal.json) return 0;
  if (rows.length === 0) terminal.say('no versions yet\n');
  if (versions.some(({ scores }) => scores.some(({ champion }) => champion !== undefined)))
    terminal.say('in brackets: the champion of that time, on the same hold-out\n');
  return 0;
};

const scoreText = ({ value, champion }: Score): string => {
  const own = value === undefined ? 'none' : numberText(value);
  return champion === undefined ? own : `${own} (${numberText(champion)})`;
};

export const decide =
  (verb: 'approve' | 'reject'): Command =>
  async (invocation) => {
    const { model, number } = versionArgument(invocation);
    const note = textOption(invocation, 'note');
    const override = textOption(invocation, 'override');
    return plainChange(invocation, {
      method: 'POST',
      path: path`/v1/models/${model}/versions/${number}/${verb}`,
      body: { ...(note === undefined ? {} : { note }), ...(override === undefined ? {} : { override }) },
      does: `${verb} v${number} of ${model}`,
      asks: verb === 'reject',
    });
  };

export const restore: Command = async (invocation) => {
  const { model, number } = versionArgument(invocation);
  const because = textOption(invocation, 'because');
  if (because === undefined)
    throw new Failure(2, 'a restore needs a reason, which is recorded with the version; give it with --because');
  return plainChange(invocation, {
    method: 'POST',
    path: path`/v1/models/${model}/versions/${number}/restore`,
    body: { because },
    does: `restore v${number} of ${model}`,
  });
};
