import { argument, type Command, path, plainChange, textOption, wholeNumber } from '../invocation.ts';

export const decide =
  (verb: 'approve' | 'reject'): Command =>
  async (invocation) => {
    const model = argument(invocation, 0);
    const number = wholeNumber(argument(invocation, 1).replace(/^v/, ''), 'the version');
    const note = textOption(invocation, 'note');
    return plainChange(invocation, {
      method: 'POST',
      path: path`/v1/models/${model}/versions/${number}/${verb}`,
      body: note === undefined ? {} : { note },
      does: `${verb} v${number} of ${model}`,
      asks: verb === 'reject',
    });
  };
