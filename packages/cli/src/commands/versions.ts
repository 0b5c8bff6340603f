import { Failure } from '../failure.ts';
import { argument, type Command, path, plainChange, textOption, wholeNumber } from '../invocation.ts';

export const decide =
  (verb: 'approve' | 'reject'): Command =>
  async (invocation) => {
    const model = argument(invocation, 0);
    const number = wholeNumber(argument(invocation, 1).replace(/^v/, ''), 'the version');
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
  const model = argument(invocation, 0);
  const number = wholeNumber(argument(invocation, 1).replace(/^v/, ''), 'the version');
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
