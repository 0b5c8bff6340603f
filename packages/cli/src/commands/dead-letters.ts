import { argument, type Command, path, plainChange } from '../invocation.ts';

export const close =
  (verb: 'replay' | 'discard'): Command =>
  async (invocation) => {
    const id = argument(invocation, 0);
    return plainChange(invocation, {
      method: 'POST',
      path: path`/v1/dead-letters/${id}/${verb}`,
      body: {},
      does: `${verb} the dead letter ${id}`,
      asks: verb === 'discard',
    });
  };
