import { Failure } from '../failure.ts';
import { type Command, plainChange, textOption } from '../invocation.ts';
import { timeOf } from '../time-option.ts';

export const freeze: Command = async (invocation) => {
  const because = textOption(invocation, 'because');
  if (because === undefined)
    throw new Failure(2, 'a freeze needs a reason', { mend: "give it with --because, such as 'incident 42'" });
  const until = textOption(invocation, 'until');
  const body = { because, ...(until === undefined ? {} : { until: timeOf(until, '--until') }) };
  return plainChange(invocation, { method: 'POST', path: '/v1/freeze', body, does: 'freeze starts and promotions' });
};

export const thaw: Command = (invocation) =>
  plainChange(invocation, { method: 'DELETE', path: '/v1/freeze', does: 'thaw' });
